"""Where backups are kept: as the settings have it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from appliance.backups.bucket import Store
from appliance.backups.folder import Folder
from appliance.context import Context
from appliance.errors import Conflict, Invalid
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
