"""Who could change what a path leads to, and whose it is."""

import os
import pwd
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

ROOT = (0,)


def flaw(path: Path, trusted: Collection[int] = ROOT) -> str | None:
    """How someone who is not trusted could change what this path leads to, in words; None when nobody could.

    Every folder and link on the way counts. In a sticky folder people can't touch what is not theirs.
    """
    places = list(_way(Path(os.path.abspath(path))))
    for place in places:
        found = place.lstat()
        if found.st_uid not in trusted:
            return f"{place} belongs to {user_name(found.st_uid)}"
        if stat.S_ISLNK(found.st_mode) or not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            continue
        if place == places[-1] or not found.st_mode & stat.S_ISVTX:
            return f"others than {user_name(found.st_uid)} may write in {place}"
    return None


def keeper(data: Path) -> int:
    """The user that Homeport runs as with a data folder: whoever owns the database, or else what install made."""
    known = (data / "homeport.db", data / "nginx-wanted", data)
    return next(path.stat().st_uid for path in known if path.exists())


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _way(path: Path) -> Iterator[Path]:
    """Every folder and link that is passed through, the end of the way last."""
    here = Path("/")
    yield here
    for name in path.parts[1:]:
        here = here / name
        yield here
        if here.is_symlink():
            here = Path(os.path.normpath(here.parent.resolve() / here.readlink()))
            yield from _way(here)
