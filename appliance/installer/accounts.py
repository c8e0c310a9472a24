"""The users and groups of a host, or of a folder that will be one."""

import grp
import pwd
from pathlib import Path

HOST = Path("/")


def uid_of(root: Path, name: str) -> int | None:
    """A user's number; None where there is no such user."""
    if name == "root":
        return 0
    if root != HOST:
        return _number(root / "etc/passwd", name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def gid_of(root: Path, name: str) -> int | None:
    if name == "root":
        return 0
    if root != HOST:
        return _number(root / "etc/group", name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _number(file: Path, name: str) -> int | None:
    lines = file.read_text("utf-8", errors="surrogateescape").splitlines() if file.exists() else []
    fields = (line.split(":") for line in lines)
    return next((int(field[2]) for field in fields if field[0] == name), None)
