"""The file of settings that systemd reads: ours to begin with, then the operator's too."""

import re
import shlex
from collections.abc import Mapping

HEAD = """# Homeport's settings, one HOMEPORT_<NAME>=value a line. Yours to edit: `homeport install` keeps what is here.
# In force after `systemctl restart homeport`; for those of NGINX, after `homeport install`.
"""
_LINE = re.compile(r"\s*(HOMEPORT_[A-Z_]+)\s*=(.*)")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,~-]*")


def parse(text: str) -> dict[str, str]:
    """What the file sets; of two lines for one name the last counts, as with systemd."""
    return {match[1]: _unquoted(match[2].strip()) for line in text.splitlines() if (match := _LINE.fullmatch(line))}


def merged(text: str, values: Mapping[str, str]) -> str:
    """The file with these values in it; lines that say the same already, or something else, stay as they are."""
    left = {name: value for name, value in values.items() if parse(text).get(name) != value}
    lines = []
    for line in (text or HEAD).splitlines():
        match = _LINE.fullmatch(line)
        if match and match[1] in left:
            line = f"{match[1]}={_quoted(left.pop(match[1]))}"
        lines.append(line)
    lines += [f"{name}={_quoted(value)}" for name, value in left.items()]
    return "\n".join(lines) + "\n"


def hidden(text: str, secrets: frozenset[str]) -> str:
    """The file as it may be shown."""
    lines = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        lines.append(f"{match[1]}=(not shown)" if match and match[1] in secrets and match[2].strip() else line)
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(value: str) -> str:
    if value[:1] not in ("'", '"'):
        return value
    try:
        return shlex.split(value)[0]
    except ValueError:
        return value.strip("'\"")
