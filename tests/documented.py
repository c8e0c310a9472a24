"""The tables of docs/ that are drawn from the program itself. `python -m tests.documented` draws them again."""

import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from appliance.access.permissions import PERMISSIONS, PUBLIC, ROLES, SIGNED_IN
from appliance.api.routes import routes
from appliance.model.xrays import KINDS
from appliance.settings import About, Settings
from appliance.web.routes import Declared
from tests.appliance import ROOT

DOCS = ROOT / "docs"
DRAWN = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"))


def endpoints() -> Iterator[str]:
    """Every endpoint, in the order of the route table."""
    yield "| | | who may |"
    yield "|---|---|---|"
    for one in routes():
        assert isinstance(one, Declared)
        assert one.doc is not None
        (method,) = (one.methods or set()) - {"HEAD"}
        who = {PUBLIC: "anyone", SIGNED_IN: "anyone who is signed in"}.get(one.allow, f"`{one.allow}`")
        yield f"| `{method} {shown(one.path)}` | {one.doc.summary} | {who} |"


def shown(path: str) -> str:
    return re.sub(r"\{(\w+)\}", r"<\1>", path)


def permissions() -> Iterator[str]:
    """Who may what, by role."""
    yield f"| permission | what it allows | {' | '.join(ROLES)} |"
    yield f"|---|---|{'---|' * len(ROLES)}"
    for name, text in PERMISSIONS.items():
        yield f"| `{name}` | {text} | {' | '.join('yes' if name in held else '' for held in ROLES.values())} |"


def settings() -> Iterator[str]:
    yield "| variable | what it is | default | in the UI |"
    yield "|---|---|---|---|"
    for item in fields(Settings):
        about: About = item.metadata["about"]
        yield f"| `{about.env}` | {about.text} | {default(item.name, item.default)} | {'yes' if about.saved else ''} |"


def default(name: str, value: object) -> str:
    if name == "data":
        return "see below"
    if value in ("", None):
        return ""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, tuple):
        return f"`{' '.join(value)}`"
    if isinstance(value, int) and name.endswith(("_max", "_max_size")):
        size, unit = next((size, unit) for size, unit in UNITS if value % size == 0)
        return f"`{value // size}G` ({value // size} {unit})"
    return f"`{value}`"


def findings() -> Iterator[str]:
    """What an X-ray can find."""
    yield "| code | | level |"
    yield "|---|---|---|"
    for code, kind in KINDS.items():
        yield f"| `{code}` | {kind.about} | {kind.level} |"


TABLES = {"endpoints": endpoints, "permissions": permissions, "settings": settings, "findings": findings}


def drawn(text: str) -> str:
    """The same page with its tables as the program has them now."""
    return DRAWN.sub(lambda found: found[1] + "".join(f"{row}\n" for row in TABLES[found[2]]()) + found[3], text)


def pages() -> list[Path]:
    return sorted(DOCS.glob("*.md"))


def main() -> int:
    for page in pages():
        text = page.read_text("utf-8")
        if drawn(text) != text:
            page.write_text(drawn(text), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
