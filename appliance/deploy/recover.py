"""On start: whatever was in the middle when the process ended is finished or undone."""

from pathlib import Path

from appliance.backends import pointer
from appliance.context import Context
from appliance.deploy import mend, paths, tidy
from appliance.deploy.places import site_of
from appliance.machine import files
from appliance.model.deployments import Failure
from appliance.nginx import force
from appliance.nginx.wildcard import KEY
from appliance.store import deployments, domains, environments, jobs, journal, urls
from appliance.store.db import Connection


def recover(ctx: Context) -> int:
    """Put every job back in its queue and the pointers where the record says; says how many jobs there were."""
    with ctx.db.write() as db:
        found = jobs.reclaim(db)
        for lost in deployments.running(db):
            if not jobs.has(db, "deploy", lost.id):
                deployments.finish(db, lost.id, "failed", ctx.moment(), STOPPED)
                journal.close(db, "publish", lost.id, status="undone", outcome="stopped", at=ctx.moment())
        _take_up(ctx, db)
    mend.after_power_cut(ctx)
    _restore_pointers(ctx)
    _sweep_places(ctx)
    tidy.sweep(ctx)
    return found


JOBS = {"url.attach": "url.attach", "url.detach": "url.detach", "move": "place.move"}
STOPPED = Failure(
    "stopped", "Homeport was stopped in the middle of this deployment. What was live stays live.", ("Try again.",)
)


def _take_up(ctx: Context, db: Connection) -> None:
    """Whatever was begun outside has a job that ends it; what serves URLs is looked at, where there may be any."""
    for entry in journal.unfinished(db):
        kind, subject = JOBS.get(entry.kind, ""), entry.subject if entry.kind == "url.attach" else str(entry.id)
        if kind and not jobs.has(db, kind, subject):
            jobs.add(db, kind, subject, queue="hosts", at=ctx.moment())
    jobs.drop(db, "domain.settle", "")
    if ctx.settings.nginx_deployments or domains.find(db) or force.has_trace(ctx.settings, KEY):
        jobs.add(db, "domain.settle", "", queue="hosts", at=ctx.moment())
    jobs.drop(db, "hosts.settle", "")
    if urls.any_at_all(db) or any((ctx.data / "nginx").iterdir()) or (ctx.data / "nginx.unread").exists():
        jobs.add(db, "hosts.settle", "", queue="hosts", at=ctx.moment())


def _restore_pointers(ctx: Context) -> None:
    """A pointer that was swapped for a deployment that never became live goes back."""
    db = ctx.db.read()
    for environment in environments.everyone(db):
        live = deployments.find(db, environment.live) if environment.live else None
        release = mend.present(ctx, live) if live else None
        if release is not None:
            pointer.swap(site_of(ctx, environment, ()), release)
        elif live is None:
            pointer.clear(site_of(ctx, environment, ()))


def _sweep_places(ctx: Context) -> None:
    """A place that no row knows goes, unless it was renamed and NGINX may still look there."""
    db = ctx.db.read()
    known = {paths.pointer(ctx, one.project, one.name) for one in environments.everyone(db)}
    known |= {Path(entry.subject) for entry in journal.unfinished(db) if entry.kind == "move"}
    for folder in (ctx.data / "sites").iterdir():
        if folder in known or not folder.is_dir():
            continue
        for link in tuple(folder.iterdir()):
            if link.with_name(link.name.partition("@")[0]) not in known:
                files.remove_tree(link)
        if not any(folder.iterdir()):
            folder.rmdir()
