"""Hand out a backup: who has one has everything that was here, so that is put on record first."""

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.backups.find import find_backup
from appliance.backups.places import Opened, open_backup
from appliance.context import Context


def open_for(ctx: Context, actor: Actor, backup_id: str) -> Opened:
    need(actor, "backups.read")
    backup = find_backup(ctx, backup_id)
    opened = open_backup(ctx, backup)
    with ctx.write() as db:
        record(ctx, db, actor, "backup.download", backup.name, size=opened.size)
    return opened
