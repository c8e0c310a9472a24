"""Where backups are kept: as the settings have it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.backups.bucket import Store
from appliance.backups.folder import Folder
from appliance.context import Context
from appliance.errors import Conflict, Invalid
from appliance.machine import clock
from appliance.machine.s3 import Bucket
from appliance.machine.tar import Sink
from appliance.model.backups import Backup
from appliance.settings import Settings


class Place(Protocol):
    @property
    def name(self) -> str: ...

    def keep(self, name: str) -> AbstractContextManager[Sink]: ...

    def check(self, name: str, size: int) -> None: ...

    def size(self, name: str) -> int: ...

    def read(self, name: str) -> Iterator[bytes]: ...

    def remove(self, name: str) -> None: ...

    def sweep(self, name: str) -> None: ...


def place_of(settings: Settings) -> Place:
    """Where the next one goes."""
    if settings.backup_place == "folder":
        return Folder(Path(settings.backup_folder or settings.data / "backups"))
    store = _store(settings)
    if store is None:
        raise Invalid({"backup_s3_bucket": "Name the bucket, and the id and secret of a key for it"})
    return store


def place_with(ctx: Context, backup: Backup) -> Place:
    """The place of one that was taken before."""
    if backup.place.startswith("/"):
        return Folder(Path(backup.place))
    store = _store(ctx.settings)
    if store is None or store.name != backup.place:
        raise Conflict(
            f"This backup is kept in {backup.place}, and Settings name another place or none.",
            code="other_place",
            todo=("Enter that place in Settings, Backups again.",),
        )
    return store


def try_place(settings: Settings) -> str:
    """Write something there, look at it, and take it away again; says that this worked."""
    place, name, text = place_of(settings), f"homeport-test-{clock.new_id()}.txt", b"Homeport was here.\n"
    with place.keep(name) as sink:
        sink.write(text)
    place.check(name, len(text))
    place.remove(name)
    return f"Homeport can write, read and delete in {place.name}."


@dataclass(frozen=True)
class Opened:
    """A backup that is being read."""

    name: str
    size: int
    sha256: str
    chunks: Iterator[bytes]


def open_backup(ctx: Context, backup: Backup) -> Opened:
    """It is there, and as large as it was when it was taken."""
    if backup.status != "succeeded" or backup.size is None:
        raise Conflict(f"This backup is {backup.status}: there is no file of it.", code="no_file")
    place = place_with(ctx, backup)
    place.check(backup.name, backup.size)
    return Opened(backup.name, backup.size, backup.sha256 or "", place.read(backup.name))


def _store(settings: Settings) -> Store | None:
    if not (settings.backup_s3_bucket and settings.backup_s3_key_id and settings.backup_s3_secret):
        return None
    bucket = Bucket(
        settings.backup_s3_endpoint or f"https://s3.{settings.backup_s3_region}.amazonaws.com",
        settings.backup_s3_region,
        settings.backup_s3_bucket,
        settings.backup_s3_key_id,
        settings.backup_s3_secret,
        settings.backup_s3_path_style,
    )
    return Store(bucket, settings.backup_s3_prefix.strip("/"))
