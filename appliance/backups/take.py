"""Take a backup that was asked for: a job."""

from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from appliance.access.actor import HOMEPORT
from appliance.access.record import record
from appliance.backups.delete import remove_file
from appliance.backups.places import place_of
from appliance.backups.write import Written, write_backup
from appliance.context import Context
from appliance.errors import HomeportError
from appliance.events import BackupChanged
from appliance.machine.tar import Sink
from appliance.model.amounts import how_many
from appliance.model.backups import Backup
from appliance.process_log import tell
from appliance.store import backups
from appliance.store.db import NotNow

MOST_TRIES = 3  # starts of the process that each ended in the middle of it
FAILURES_KEPT = 20
SAY_EVERY = 2.0  # seconds


def take(ctx: Context, backup_id: str, attempts: int) -> None:
    """Written to its place, looked at there, and only then called a backup; then older ones go."""
    backup = backups.find(ctx.db.read(), backup_id)
    if backup is None or backup.over:
        return
    try:
        if attempts > MOST_TRIES:
            raise HomeportError("Homeport ended in the middle of it each time. Look at its log and at the host's.")
        _take(ctx, backup)
    except HomeportError as why:
        _fail(ctx, backup, " ".join((why.detail, *why.todo)))
        return
    _retire(ctx)


def end_in_fault(ctx: Context, backup_id: str) -> None:
    backup = backups.find(ctx.db.read(), backup_id)
    if backup and not backup.over:
        _fail(ctx, backup, "Homeport has a fault: its log says where.")


def _take(ctx: Context, backup: Backup) -> None:
    place = place_of(ctx.settings)
    with ctx.write(BackupChanged(backup.id)) as db:
        backups.begin(db, backup.id)
    place.sweep(backup.name)
    with place.keep(backup.name) as sink:
        counted = _Counted(ctx, backup.id, sink)
        passphrase = ctx.settings.backup_passphrase
        done = write_backup(ctx.data, counted, at=ctx.now(), passphrase=passphrase, stopped=ctx.stopping.is_set)
    place.check(backup.name, done.size)
    with ctx.write(BackupChanged(backup.id)) as db:
        backups.succeed(db, backup.id, size=done.size, sha256=done.sha256, note=_note(done), at=ctx.moment())
        record(ctx, db, HOMEPORT, "backup.succeeded", backup.name, size=done.size)
    tell(ctx, "backups", f"{backup.name} is in {place.name}, {done.size:,} bytes. {_note(done)}".strip())


def _fail(ctx: Context, backup: Backup, error: str) -> None:
    with ctx.write(BackupChanged(backup.id)) as db:
        backups.fail(db, backup.id, ctx.redact(error), ctx.moment())
        record(ctx, db, HOMEPORT, "backup.failed", backup.name, why=ctx.redact(error))
    tell(ctx, "backups", error, level="error", subject=backup.name)


def _retire(ctx: Context) -> None:
    """No more than wanted, each gone from its place before its row is; failures are kept for a while."""
    those = backups.everyone(ctx.db.read())
    good = [one for one in those if one.status == "succeeded"]
    bad = [one for one in those if one.status == "failed"]
    for one in (*good[ctx.settings.backup_keep :], *bad[FAILURES_KEPT:]):
        with suppress(HomeportError):  # it is tried again after the next one
            remove_file(ctx, one)
            with ctx.write(BackupChanged(one.id)) as db:
                backups.remove(db, one.id)


def _note(done: Written) -> str:
    if not done.left_out:
        return ""
    few = ", ".join(sha256[:7] for sha256 in done.left_out[:5])
    return f"{how_many(len(done.left_out), 'bundle')} could not be put in, missing or damaged here: {few}."


@dataclass
class _Counted:
    """Says now and then how much has been written."""

    ctx: Context
    backup_id: str
    sink: Sink
    size: int = 0
    said: float = field(default_factory=monotonic)

    def write(self, data: bytes, /) -> None:
        self.sink.write(data)
        self.size += len(data)
        if monotonic() - self.said < SAY_EVERY:
            return
        self.said = monotonic()
        with suppress(NotNow), self.ctx.write(BackupChanged(self.backup_id), lasting=False) as db:
            backups.grow(db, self.backup_id, self.size)
