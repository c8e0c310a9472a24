"""The file of settings that systemd reads: ours to begin with, then the operator's too."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

ENV = Path("/etc/homeport/homeport.env")
HEAD = """# Homeport's settings, one HOMEPORT_<NAME>=value a line. Yours to edit: `homeport install` keeps what is here.
# In force after `systemctl restart homeport`; for those of NGINX, after `homeport install`.
"""
_LINE = re.compile(r"\s*(HOMEPORT_[A-Z_]+)\s*=(.*)")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,~-]*")


def parse(text: str) -> dict[str, str]:
    """What the file sets; of two lines for one name the last counts, as with systemd."""
    return {match[1]: _unquoted(match[2].strip()) for line in text.splitlines() if (match := _LINE.fullmatch(line))}


def beneath(environ: Mapping[str, str], data: str | None, file: Path = ENV) -> dict[str, str]:
    """The environment over what the installed service goes by, for a command that is about the same data folder."""
    try:
        there = parse(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return dict(environ)
    named = data or environ.get("HOMEPORT_DATA")
    if named and Path(named).absolute() != Path(there.get("HOMEPORT_DATA", "/")):
        return dict(environ)
    return {**there, **environ}


def merged(text: str, values: Mapping[str, str]) -> str:
    """The file with these values in it; lines that say the same already, or something else, stay as they are."""
    left = {name: value for name, value in values.items() if parse(text).get(name) != value}
    lines = []
    for line in (text or HEAD).splitlines():
        match = _LINE.fullmatch(line)
        new = left.pop(match[1], None) if match else None
        lines.append(line if match is None or new is None else f"{match[1]}={_quoted(new)}")
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
