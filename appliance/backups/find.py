"""Look for a backup."""

from appliance.context import Context
from appliance.errors import NotFound
from appliance.model.backups import Backup
from appliance.store import backups


def find_backup(ctx: Context, backup_id: str) -> Backup:
    found = backups.find(ctx.db.read(), backup_id)
    if found is None:
        raise NotFound(
            "There is no such backup; it may have been deleted to keep no more than wanted.", code="no_backup"
        )
    return found


def last_failure(those: tuple[Backup, ...]) -> Backup | None:
    """The newest one that is over, where it failed."""
    ended = next((one for one in those if one.over), None)
    return ended if ended and ended.status == "failed" else None
