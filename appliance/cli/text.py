"""Text that others chose, made safe for a terminal."""

import re

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str, *, lines: bool = False) -> str:
    """Text that others chose can't steer the terminal: control and direction characters are shown, not obeyed."""
    if lines:
        return "\n".join(clean(line) for line in text.split("\n"))
    return CONTROL.sub(
        lambda found: f"\\x{ord(found[0]):02x}" if ord(found[0]) < 256 else f"\\u{ord(found[0]):04x}", text
    )
