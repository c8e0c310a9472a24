"""Delete a backup."""

from contextlib import suppress

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.backups.create import MARK
from appliance.backups.find import find_backup
from appliance.backups.places import place_with
from appliance.context import Context
from appliance.errors import Conflict
from appliance.events import BackupChanged
from appliance.model.backups import Backup
from appliance.store import backups


def delete_backup(ctx: Context, actor: Actor, backup_id: str) -> Backup:
    need(actor, "backups.delete")
    backup = find_backup(ctx, backup_id)
    if not backup.over:
        raise Conflict("This backup is still being taken.", code="under_way", todo=("Wait until it has ended.",))
    kept = remove_file(ctx, backup)
    with ctx.write(BackupChanged(backup_id)) as db:
        backups.remove(db, backup_id)
        record(ctx, db, actor, "backup.delete", backup.name, kept=kept)
    return backup


def remove_file(ctx: Context, backup: Backup) -> str:
    """Only what a row names and bears our mark. Says where the file stays, if Settings no longer lead there."""
    if backup.status != "succeeded" or not backup.name.startswith(MARK):
        return ""
    with suppress(Conflict):
        place_with(ctx, backup).remove(backup.name)
        return ""
    return backup.place
