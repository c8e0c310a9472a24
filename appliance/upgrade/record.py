"""What is known of an upgrade that has not come to its end. Whichever Homeport starts next reads it first."""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from appliance.errors import StartFailed
from appliance.machine import faults, files

NAME = "upgrade.json"
DATABASE = "homeport.db"
BESIDE = ("-wal", "-shm")  # what SQLite keeps next to its file


@dataclass(frozen=True)
class Underway:
    """From one version to another. Nobody was answered by the new one for as long as this is there."""

    was: str
    to: str
    copy: str | None  # of the database, in backups/, where the new file changes its form
    opened: bool = False  # the new file may have changed the database


def begin(data: Path, underway: Underway) -> None:
    files.write_whole(data / NAME, json.dumps(asdict(underway)), mode=0o600)


def read(data: Path) -> Underway | None:
    file = data / NAME
    try:
        return Underway(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as why:
        todo = (f"Move {file} away, then start again.",)
        raise StartFailed(f"{file}, which says how far an upgrade came, can't be read: {why}.", todo=todo) from why


def opened(data: Path) -> Underway | None:
    """Noted before the new file touches the database."""
    found = read(data)
    if found:
        begin(data, replace(found, opened=True))
        faults.point("upgrade opened")
    return found


def end(data: Path) -> None:
    (data / NAME).unlink(missing_ok=True)
    files.sync_folder(data)


def undo(data: Path) -> Underway | None:
    """Take back an upgrade that was not finished: nothing was accepted since the copy was made, so nothing is lost."""
    found = read(data)
    if found and found.opened and found.copy:
        _restore(data, data / "backups" / found.copy)
    if found:
        end(data)
    return found


def _restore(data: Path, copy: Path) -> None:
    beside = data / f"{DATABASE}.restored"
    shutil.copyfile(copy, beside)
    beside.chmod(0o600)
    files.sync_file(beside)
    for ending in BESIDE:
        (data / f"{DATABASE}{ending}").unlink(missing_ok=True)
    faults.point("upgrade restore")
    beside.replace(data / DATABASE)
    files.sync_folder(data)
