"""The master key in its file, also while it is being exchanged for another."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from appliance.errors import StartFailed
from appliance.machine import files
from appliance.machine.sealing import MASTER_BYTES, Master

NAME = "secret.key"
NEXT = "secret.key.next"  # a new one, until the database is sealed with it and it takes the name
WITHOUT = "Without it, run `homeport rotate-key --lost`: saved secrets have to be entered again then."


class Keyring:
    """Knows the key that is in the file, and those that were there since this process began."""

    def __init__(self, data: Path, first: Master) -> None:
        self._data = data
        self._known = {first.id: first}
        self._first = first

    def find(self, key_id: str | None) -> Master | None:
        """Looks at the files again where it is a new one; without a name, the one that there was first."""
        if key_id is None:
            return self._first
        if key_id not in self._known:
            self._known.update({one.id: one for one in there(self._data)})
        return self._known.get(key_id)


def there(data: Path) -> list[Master]:
    """Those in the files. The first is looked at again in the end: the other may have taken its name meanwhile."""
    found = []
    for name in (NAME, NEXT, NAME):
        with suppress(FileNotFoundError):
            found.append(Master((data / name).read_bytes()))
    return found


def opened(data: Path, *, fresh: bool) -> Master:
    """The key in its file, made together with the database; a file that is not in order stops the start."""
    path = data / NAME
    if fresh and not path.exists():
        _make(path, os.urandom(MASTER_BYTES))
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise StartFailed(
            f"{path} is missing. Sessions and saved secrets were made with it.",
            code="no_secret",
            todo=("Put the file back from a backup that was made with keys.", WITHOUT),
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise StartFailed(f"{path} is not a plain file.", code="odd_secret", todo=("Put the file itself there.",))
    if found.st_mode & 0o177:
        raise StartFailed(
            f"{path} can be read by others on this host, or run: its mode is {stat.S_IMODE(found.st_mode):04o}.",
            code="open_secret",
            todo=(f"Run chmod 600 {path}, then start again.",),
        )
    secret = path.read_bytes()
    if len(secret) != MASTER_BYTES:
        raise StartFailed(
            f"{path} is not whole: it holds {len(secret)} bytes, not {MASTER_BYTES}.",
            code="bad_secret",
            todo=("Put it back from a backup that was made with keys.", WITHOUT),
        )
    return Master(secret)


def settle(data: Path, wanted: str | None) -> None:
    """An exchange that was broken off is finished, or taken back, as the database has it.

    For whoever is alone with the folder: beside another, the exchange may be going on.
    """
    if wanted in _ids(data / NEXT):
        put_in_place(data)
    elif wanted is None or wanted in _ids(data / NAME):
        take_back(data)


def right(data: Path, now: Master, wanted: str | None) -> Master:
    """The key that the database was sealed with, under whichever name; a database of an earlier form names none."""
    for one in (now, *there(data)):
        if one.id == (wanted or now.id):
            return one
    raise StartFailed(
        f"{data / NAME} is not the key that this database was sealed with.",
        code="other_secret",
        todo=("Put that one back from a backup that was made with keys.", WITHOUT),
    )


def lay_ready(data: Path, new: Master) -> None:
    """Beside the one in use, and on the disk, before anything is sealed with it."""
    take_back(data)
    _make(data / NEXT, new.secret)


def take_back(data: Path) -> None:
    """Nothing was sealed with the new one."""
    if (data / NEXT).exists():
        (data / NEXT).unlink()
        files.sync_folder(data)


def put_in_place(data: Path) -> None:
    (data / NEXT).replace(data / NAME)
    files.sync_folder(data)


def _ids(path: Path) -> set[str]:
    return {Master(path.read_bytes()).id} if path.exists() else set()


def _make(path: Path, secret: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        files.write_all(handle, secret)
        os.fsync(handle)
    finally:
        os.close(handle)
    files.sync_folder(path.parent)
