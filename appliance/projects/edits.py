"""Edits by hand in NGINX's files of URLs: noticed, and then written anew or kept, as someone says.

Nothing that Homeport does by itself writes over an edit.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from appliance.access.actor import HOMEPORT, Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.backends import REGISTRY, load
from appliance.context import Context
from appliance.deploy.places import backend_of, site_of
from appliance.errors import Conflict, HomeportError, NotFound
from appliance.events import JobAdded, UrlChanged
from appliance.machine import faults, files
from appliance.model.edits import Edit, SeenEdit, Tested
from appliance.model.environments import Environment
from appliance.model.sites import Site
from appliance.model.urls import Part, Url
from appliance.nginx import edits as by_hand
from appliance.nginx.wildcard import KEY
from appliance.process_log import tell, tell_why
from appliance.projects import domain
from appliance.projects.find import find_url
from appliance.projects.url_jobs import in_words, unlogged
from appliance.store import domains, environments, jobs, journal, nginx_edits, saved, urls

TESTED = "nginx.tested"
MEND = ("Restore it or keep it in Settings, NGINX.",)


def look(ctx: Context) -> None:
    """Note what was edited since, and what NGINX says of its whole configuration: a restart must not find it first."""
    seen = {edit.host: edit for edit in _found(ctx)}
    news = list[tuple[str, str]]()
    with ctx.db.write() as db:
        known = {one.edit.host: one for one in nginx_edits.everyone(db)}
        for host in known.keys() - seen.keys():
            nginx_edits.remove(db, host)
        for host, edit in seen.items():
            url, before = urls.find(db, host), known.get(host)
            if before and (before.edit.text, before.edit.detail) == (edit.text, edit.detail):
                nginx_edits.set_wanted(db, host, edit.wanted)
            elif url or host == KEY:
                nginx_edits.put(db, edit, ctx.moment())
                record(ctx, db, HOMEPORT, "url.edited", host, **_place(url))
                news.append((host, edit.detail))
    for host, detail in news:
        tell(ctx, "nginx", detail, level="warn", subject=host, todo=MEND)
    if any(name != "builtin" for name in _used(ctx)):
        _note_test(ctx, _whole_test(ctx))


def tested(ctx: Context) -> Tested | None:
    """What NGINX said when it was asked last."""
    text = saved.meta(ctx.db.read(), TESTED)
    return Tested(**json.loads(text)) if text else None


def restore(ctx: Context, actor: Actor, host: str) -> Url:
    """Have Homeport's own file and links written again; a job does it, tested and seen as ever."""
    need(actor, "settings.update")
    url, _ = find_served(ctx, host), find_edit(ctx, host)
    if host == KEY:
        domain.restore(ctx)
        with ctx.write() as db:
            record(ctx, db, actor, "url.restore", host)
        return find_served(ctx, host)
    with ctx.write(UrlChanged(host, url.project), JobAdded()) as db:
        jobs.drop(db, "url.restore", host)
        jobs.add(db, "url.restore", host, queue="hosts", at=ctx.moment())
        urls.set_state(db, host, "pending")
        urls.set_nginx(db, host, Part("pending", "Being written anew"))
        record(ctx, db, actor, "url.restore", host, **_place(url))
    return find_url(ctx, host)


def adopt(ctx: Context, actor: Actor, host: str) -> SeenEdit:
    """Keep the file as it was edited, until someone restores it. NGINX has to accept it first."""
    need(actor, "settings.update")
    url, seen = find_served(ctx, host), find_edit(ctx, host)
    environment = environments.by_id(ctx.db.read(), url.environment_id)
    now = _now(ctx, environment, host)
    if now is None or now.what != "changed" or now.text != seen.edit.text:
        raise Conflict(
            now.detail if now else f"The file of {host} is as Homeport wrote it.",
            code="nothing_to_keep",
            todo=("Only a file that is there, with its links, can be kept as it is. Look again, or restore it.",),
        )
    (backend_of(ctx, environment) if environment else load("nginx", ctx.settings)).test()
    with ctx.write(UrlChanged(host, url.project)) as db:
        nginx_edits.put(db, now, seen.seen_at)
        nginx_edits.keep(db, host, ctx.moment(), actor.name)
        record(ctx, db, actor, "url.adopt", host, **_place(url))
    return find_edit(ctx, host)


def find_served(ctx: Context, host: str) -> Url:
    """A URL, or the domain of deployments as if it were one."""
    return (domain.as_url(ctx) if host == KEY else None) or find_url(ctx, host)


def find_edit(ctx: Context, host: str) -> SeenEdit:
    found = nginx_edits.find(ctx.db.read(), host)
    if found is None:
        raise NotFound(f"No edit by hand is known of {host}.", code="no_edit", todo=("Look again first.",))
    return found


def write_anew(ctx: Context, host: str, _: int) -> None:
    """The job behind a restore. What comes after is as for any URL: it is looked at, and pointed at."""
    url = urls.find(ctx.db.read(), host)
    environment = environments.by_id(ctx.db.read(), url.environment_id) if url else None
    if url is None or environment is None:
        return
    with ctx.write() as db:
        journal.close(db, "url.restore", host, status="undone", outcome="begun again", at=ctx.moment())
        entry = journal.begin(db, "url.restore", host, {"backend": environment.backend}, ctx.moment())
    try:
        with files.refusals():
            faults.point("nginx restore")
            backend_of(ctx, environment).restore(site_of(ctx, environment, (host,)), host, unlogged)
    except HomeportError as why:
        _failed(ctx, url, entry, why)
        return
    faults.point("after nginx restore")
    with ctx.write(UrlChanged(host, url.project), JobAdded()) as db:
        journal.end(db, entry, "done", "written anew", ctx.moment())
        nginx_edits.remove(db, host)
        jobs.drop(db, "url.attach", host)
        jobs.add(db, "url.attach", host, queue="hosts", at=ctx.moment())
    tell(ctx, "nginx", f"The file of {host} was written anew.", subject=host, project=url.project)


def _failed(ctx: Context, url: Url, entry: int, why: HomeportError) -> None:
    with ctx.write(UrlChanged(url.host, url.project)) as db:
        journal.end(db, entry, "failed", ctx.redact(why.detail), ctx.moment())
        urls.set_nginx(db, url.host, Part("failed", "Refused"))
        urls.set_state(db, url.host, "failed", ctx.redact(in_words(why)))
    tell_why(ctx, "nginx", why, subject=url.host, project=url.project)


def _found(ctx: Context) -> Iterator[Edit]:
    """Of all that is in force, or was when an edit was noticed."""
    db = ctx.db.read()
    hosts: dict[int, list[str]] = {}
    known = {one.edit.host for one in nginx_edits.everyone(db)}
    for url in urls.every(db):
        if url.nginx.status == "ok" or url.host in known:
            hosts.setdefault(url.environment_id, []).append(url.host)
    sites: dict[str, list[Site]] = {}
    for environment in environments.everyone(db):
        if environment.live and environment.id in hosts:
            those = tuple(hosts[environment.id])
            sites.setdefault(environment.backend, []).append(site_of(ctx, environment, those))
    for name, those_sites in sites.items():
        yield from load(name, ctx.settings).edits(those_sites)
    now = domains.find(db)
    if now and (now.status == "active" or KEY in known):
        yield from _of_domain(ctx)


def _of_domain(ctx: Context) -> list[Edit]:
    return by_hand.find(ctx.settings, {KEY: domain.conf(ctx)}) if domain.wanted(ctx) else []


def _place(url: Url | None) -> dict[str, str]:
    """The domain of deployments is in none."""
    return {"project": url.project, "environment": url.environment} if url and url.project else {}


def _now(ctx: Context, environment: Environment | None, host: str) -> Edit | None:
    if environment is None:
        return next(iter(_of_domain(ctx)), None) if host == KEY else None
    return next(iter(backend_of(ctx, environment).edits([site_of(ctx, environment, (host,))])), None)


def _whole_test(ctx: Context) -> HomeportError | None:
    try:
        for name in _used(ctx):
            load(name, ctx.settings).test()
    except HomeportError as why:
        return why
    return None


def _used(ctx: Context) -> Iterable[str]:
    db = ctx.db.read()
    used = {one.backend for one in environments.everyone(db)} | ({"nginx"} if domains.find(db) else set())
    return [name for name in REGISTRY if name in used]


def _note_test(ctx: Context, why: HomeportError | None) -> None:
    detail = " ".join((why.detail, *why.todo)) if why else "NGINX accepts its whole configuration."
    now = Tested(why is None, detail, why.said if why else "", ctx.moment())
    with ctx.db.write() as db:
        saved.set_meta(db, TESTED, json.dumps(asdict(now)))
