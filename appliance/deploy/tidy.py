"""Keeping no more than is needed, on disk and in the database."""

from datetime import timedelta

from appliance.context import Context
from appliance.deploy import earlier, paths, releases, uploads
from appliance.machine import clock, files
from appliance.store import bundles, deployments, journal

REMEMBERED = timedelta(days=1)
JOURNALED = timedelta(days=30)


def forget_old(ctx: Context) -> None:
    """Idempotency keys are honoured for a day; what the journal has finished is of interest for a month."""
    with ctx.db.write(lasting=False) as db:
        deployments.forget_remembered(db, clock.text(ctx.now() - REMEMBERED))
        journal.trim(db, clock.text(ctx.now() - JOURNALED))


def sweep(ctx: Context) -> None:
    """On start: nothing is left that no row knows."""
    for left in (ctx.data / "incoming").iterdir():
        left.unlink()
    for left in (ctx.data / "releases").iterdir():
        if left.name.startswith("."):
            files.remove_tree(left)
    paths.shelf(ctx).sweep()
    uploads.sweep(ctx)
    earlier.forget_old(ctx)
    known = bundles.every_name(ctx.db.read())
    for bundle in (ctx.data / "bundles").glob("??/*"):
        if bundle.suffix in (".zip", ".json") and bundle.stem not in known:
            bundle.unlink()
    releases.remove_old(ctx)
    with ctx.db.write(lasting=False) as db:
        releases.ask_to_forget(ctx, db)
    for log in (ctx.data / "logs").glob("*.log"):
        if deployments.find(ctx.db.read(), log.stem) is None:
            log.unlink()
