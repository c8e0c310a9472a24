"""Ask for a backup."""

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.backups.places import place_of
from appliance.context import Context
from appliance.errors import Conflict
from appliance.events import BackupChanged, JobAdded
from appliance.machine import clock
from appliance.model.backups import Backup
from appliance.store import backups, jobs

MARK = "homeport-"


def create_backup(ctx: Context, actor: Actor) -> Backup:
    """One at a time; it goes where Settings say."""
    need(actor, "backups.create")
    place, now = place_of(ctx.settings), ctx.now()
    backup_id = clock.new_id()
    backup = Backup(
        id=backup_id,
        place=place.name,
        name=f"{MARK}{now:%Y%m%d-%H%M%S}-{backup_id}.tar",
        status="queued",
        size=None,
        sha256=None,
        error=None,
        created_at=clock.text(now),
        finished_at=None,
        created_by=actor.name,
    )
    with ctx.write(BackupChanged(backup_id), JobAdded()) as db:
        if backups.under_way(db):
            raise Conflict("A backup is being taken already.", code="under_way", todo=("Wait until it has ended.",))
        backups.add(db, backup)
        jobs.add(db, "backup", backup_id, queue="backups", at=ctx.moment())
        record(ctx, db, actor, "backup.create", backup.name)
    return backup
