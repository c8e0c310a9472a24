"""The installed file and what lies beside it: the new one before it takes its name, the old one after."""

import os
import shutil
from pathlib import Path

from appliance.errors import BadRequest, Conflict, Forbidden, HostFailed, OutOfRoom
from appliance.machine import files, trust
from appliance.upgrade import candidate


def place_of(told: str | None, build: str) -> Path:
    """Where the program that runs is installed. It says so itself, so root looks twice."""
    if not told:
        todo = ("Build a file with ./build.sh and run that.",)
        raise BadRequest("What runs is not a built file, so another can't take its place.", todo=todo)
    file = Path(told).resolve()
    if os.geteuid() == 0 and (flaw := trust.flaw(file)):
        raise Forbidden(
            f"Root does not touch {file}: {flaw}.",
            todo=("Run it as that user, or run `homeport install` once, which gives the program a place of its own.",),
        )
    if candidate.read(file).build != build:
        todo = ("Put the one that runs back there and try again, or restart the appliance.",)
        raise Conflict(f"{file} is no longer the file that runs: what would there be to go back to?", todo=todo)
    return file


def beside(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}.{ending}")


def old(file: Path) -> Path:
    return beside(file, "old")


def lay_beside(source: Path, file: Path) -> Path:
    """A copy of the new file next to the old one, for everyone who may run that."""
    new = beside(file, "new")
    try:
        if file.samefile(source):
            raise BadRequest(
                f"{source} is the file that the appliance runs from.", todo=("Name the new one, under another name.",)
            )
        if files.free_bytes(file.parent) < 2 * source.stat().st_size:
            raise OutOfRoom(
                f"There is no room for the new file in {file.parent}.", todo=("Make room, then try again.",)
            )
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o700)
        with open(source, "rb") as reading, os.fdopen(handle, "wb") as writing:
            shutil.copyfileobj(reading, writing, 1 << 20)
            os.fchmod(writing.fileno(), file.stat().st_mode & 0o777 | 0o500)
            writing.flush()
            os.fsync(writing.fileno())
    except PermissionError as why:
        todo = ("Run it as the user whose file that is, or with sudo.",)
        raise Forbidden(f"{why.filename} may not be used by you.", todo=todo) from why
    except OSError as why:
        raise HostFailed(f"{new} can't be written: {why.strerror}.") from why
    return new


def swap(file: Path) -> None:
    """The new file takes the name, and the old one stays as `.old`. At no moment is there nothing by that name."""
    aside = beside(file, "old.new")
    aside.unlink(missing_ok=True)
    os.link(file, aside)
    aside.replace(old(file))
    beside(file, "new").replace(file)
    files.sync_folder(file.parent)


def swap_back(file: Path) -> None:
    old(file).replace(file)
    files.sync_folder(file.parent)
