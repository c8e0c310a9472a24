"""What serves URLs is brought to what the rows say: after a start, and after a rename."""

from dataclasses import replace
from pathlib import Path

from appliance.backends import REGISTRY, load
from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.places import backend_of, site_of
from appliance.errors import HomeportError
from appliance.events import JobAdded, UrlChanged
from appliance.machine import faults, files
from appliance.model.sites import Site
from appliance.model.urls import Part
from appliance.projects.url_jobs import TryLater, amiss, unlogged
from appliance.store import deployments, environments, jobs, journal, nginx_edits, urls


def settle(ctx: Context, _: str, attempts: int) -> None:
    """None too many in force, each leading to its site; what is lost is put back by a job of its own."""
    missing: frozenset[str] = frozenset()
    try:
        with files.refusals():
            for name, sites in _sites(ctx).items():
                missing |= load(name, ctx.settings).settle(sites, unlogged)
    except HomeportError as why:
        if attempts == 1:
            _put_back(ctx, _silent(ctx))
        raise TryLater(why) from why
    _put_back(ctx, missing)


def move(ctx: Context, entry_id: str, attempts: int) -> None:
    """After a rename: what serves the URLs is led to the new place, and only then the old one goes."""
    entry = journal.find(ctx.db.read(), int(entry_id))
    if entry is None:
        return
    faults.point("move")
    settle(ctx, "", attempts)
    faults.point("after move")
    _remove_old_place(ctx, Path(entry.subject))
    with ctx.write() as db:
        journal.end(db, entry.id, "done", "moved", ctx.moment())


def _sites(ctx: Context) -> dict[str, list[Site]]:
    """By backend, every site that has URLs and shows something, or is about to."""
    db = ctx.db.read()
    hosts: dict[int, list[str]] = {}
    for url in urls.every(db):
        hosts.setdefault(url.environment_id, []).append(url.host)
    found: dict[str, list[Site]] = {name: [] for name in REGISTRY}
    kept = nginx_edits.kept(db)
    for environment in environments.everyone(db):
        those = tuple(hosts.get(environment.id, ()))
        if those and (environment.live or deployments.waiting(db, environment.id)):
            site = replace(site_of(ctx, environment, those), kept=kept.intersection(those))
            found.setdefault(environment.backend, []).append(site)
    return found


def _silent(ctx: Context) -> frozenset[str]:
    """Hosts that don't answer with their site."""
    db = ctx.db.read()
    found = set()
    for url in urls.every(db):
        environment = environments.by_id(db, url.environment_id)
        if environment and environment.live:
            site, backend = site_of(ctx, environment, (url.host,)), backend_of(ctx, environment)
            if amiss(ctx, site, backend):
                found.add(url.host)
    return frozenset(found)


def _put_back(ctx: Context, missing: frozenset[str]) -> None:
    """What was in force by the record, and isn't, comes to be or says why not."""
    for url in urls.every(ctx.db.read()):
        if url.host in missing and url.nginx.status == "ok":
            with ctx.write(UrlChanged(url.host, url.project), JobAdded()) as db:
                urls.set_state(db, url.host, "pending")
                urls.set_nginx(db, url.host, Part("pending", "Was not in place"))
                jobs.drop(db, "url.attach", url.host)
                jobs.add(db, "url.attach", url.host, queue="hosts", at=ctx.moment())


def _remove_old_place(ctx: Context, old: Path) -> None:
    """The old folder or pointer, unless someone lives there again."""
    those = environments.everyone(ctx.db.read())
    known = {paths.pointer(ctx, environment.project, environment.name) for environment in those}
    if old not in known and not any(old in pointer.parents for pointer in known):
        files.remove_tree(old)
