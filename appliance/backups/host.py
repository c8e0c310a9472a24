"""Back up to a file and restore from one, on the server's host: no Homeport needs to run for it, nor to answer."""

from pathlib import Path

from appliance.backups.folder import Folder
from appliance.backups.restore import Came, finish, refuse_used, take_in
from appliance.backups.write import Written, write_backup
from appliance.errors import BadBackup
from appliance.machine import clock, files


def to_file(data: Path, file: Path, passphrase: str) -> Written:
    """A file that is there already stays as it is until the new one is whole."""
    with Folder(file.absolute().parent).keep(file.name) as sink:
        return write_backup(data, sink, at=clock.now(), passphrase=passphrase)


def from_file(file: Path, data: Path, passphrase: str, *, without_keys: bool) -> Came:
    """Into an empty data folder that no Homeport runs with."""
    refuse_used(data)
    try:
        source = file.open("rb")
    except OSError as why:
        raise BadBackup(f"{file} can't be read: {why.strerror}.", todo=("Name a backup that you may read.",)) from why
    with source, files.refusals():
        done = take_in(source, data, passphrase=passphrase, without_keys=without_keys)
        finish(data)
    return done
