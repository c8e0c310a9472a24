"""On start: whatever was in the middle when the process ended is finished or undone."""

from appliance.context import Context
from appliance.deploy import paths, tidy
from appliance.machine import files
from appliance.model.deployments import Failure
from appliance.store import deployments, environments, jobs


def recover(ctx: Context) -> int:
    """Put every job back in its queue and the pointers where the record says; says how many jobs there were."""
    with ctx.db.write() as db:
        found = jobs.reclaim(db)
        for lost in deployments.running(db):
            if not jobs.has(db, "deploy", lost.id):
                deployments.finish(db, lost.id, "failed", ctx.moment(), STOPPED)
    _restore_pointers(ctx)
    tidy.sweep(ctx)
    return found


STOPPED = Failure(
    "stopped", "Homeport was stopped in the middle of this deployment. What was live stays live.", ("Try again.",)
)


def _restore_pointers(ctx: Context) -> None:
    """A pointer that was swapped for a deployment that never became live goes back."""
    db = ctx.db.read()
    for environment in environments.everyone(db):
        pointer = paths.pointer(ctx, environment.project, environment.name)
        live = deployments.find(db, environment.live) if environment.live else None
        if live is None:
            pointer.unlink(missing_ok=True)
            continue
        wanted = f"../../releases/{live.bundle}"
        if not pointer.is_symlink() or str(pointer.readlink()) != wanted:
            pointer.parent.mkdir(exist_ok=True)
            files.point(pointer, wanted)
