"""The domain of deployments: one server of NGINX that passes all names under it on to Homeport, as the setting says."""

from collections.abc import Callable
from dataclasses import replace

from appliance.access.actor import HOMEPORT
from appliance.access.record import record
from appliance.backends import load
from appliance.context import Context
from appliance.dns import provider
from appliance.errors import Conflict, HomeportError, HostFailed, RemoteFailed
from appliance.events import JobAdded, UrlChanged
from appliance.machine import faults, files
from appliance.model.domains import Domain
from appliance.model.urls import Part, Url
from appliance.nginx import force, names, passing, version, wildcard
from appliance.nginx.wildcard import KEY
from appliance.process_log import tell, tell_why
from appliance.projects.url_jobs import TryLater, in_words, unlogged
from appliance.store import domains, jobs, journal, nginx_edits

JOB = "domain.settle"
ANEW = "anew"  # over an edit by hand
BY_HAND = "Point {} at this host where it is kept."
ELSEWHERE = {"no_zone", "no_dns_target"}  # then its record is someone else's to make


def settle(ctx: Context, how: str, attempts: int) -> None:
    """As the setting says, in force or gone. What went wrong is tried again, here or by a timer."""
    before, name = domains.find(ctx.db.read()), wanted(ctx)
    if before is None and not name and not force.has_trace(ctx.settings, KEY):
        return
    entry = _begin(ctx, before, name)
    try:
        with files.refusals():
            if before and before.name != name:
                _unpoint(ctx, before)
            faults.point("domain put")
            now = _serve(ctx, name, anew=how == ANEW) if name else None
            if now is None:
                force.put(ctx.settings, {KEY: None}, unlogged)
            faults.point("after domain put")
    except HomeportError as why:
        _failed(ctx, entry, why)
        if _passes(why):
            raise TryLater(why) from why
        return
    _ended(ctx, entry, before, now)


def look(ctx: Context) -> None:
    """On a timer: what is not as the setting says is tried again."""
    now, name = domains.find(ctx.db.read()), wanted(ctx)
    if (now is None and not name) or (now and (now.name, now.status) == (name, "active")):
        return
    _ask(ctx, "")


def restore(ctx: Context) -> None:
    """Have it written anew, over an edit."""
    _ask(ctx, ANEW)


def settle_again(ctx: Context) -> None:
    """Its record too."""
    _ask(ctx, "")


def wanted(ctx: Context) -> str:
    """Where environments don't use NGINX, it is left alone altogether."""
    return "" if ctx.settings.backend == "builtin" else ctx.settings.nginx_deployments


def conf(ctx: Context) -> wildcard.Wildcard:
    return wildcard.of_settings(ctx.settings)


def as_url(ctx: Context) -> Url | None:
    """As those see it who look at URLs: one that belongs to no project."""
    now = domains.find(ctx.db.read())
    if now is None:
        return None
    nginx = Part("ok" if now.status == "active" else now.status)
    return Url(KEY, "", "", 0, now.status, now.error, nginx, Part("none", now.dns), None, "", HOMEPORT.name)


def end_in_fault(ctx: Context, _: str) -> None:
    now = domains.find(ctx.db.read())
    if now:
        with ctx.write(UrlChanged(KEY, "")) as db:
            domains.put(db, replace(now, status="failed", error="Homeport met an error of its own."))


def _ask(ctx: Context, how: str) -> None:
    with ctx.write(UrlChanged(KEY, ""), JobAdded()) as db:
        now = domains.find(db)
        if now:
            domains.put(db, replace(now, status="pending", error=None))
        jobs.drop(db, JOB, how)
        jobs.add(db, JOB, how, queue="hosts", at=ctx.moment())


def _begin(ctx: Context, before: Domain | None, name: str) -> int:
    """The journal knows before anything happens."""
    with ctx.write(UrlChanged(KEY, "")) as db:
        journal.close(db, JOB, KEY, status="undone", outcome="begun again", at=ctx.moment())
        if before is None and name:
            domains.put(db, Domain(name, "pending", None, "", "", pointed=False))
        intent = {"domain": name, "before": before.name if before else ""}
        return journal.begin(db, JOB, KEY, intent, ctx.moment())


def _serve(ctx: Context, name: str, *, anew: bool) -> Domain:
    _refuse_unusable(ctx)
    settings, wanted = ctx.settings, conf(ctx)
    taken = names.taken(settings, KEY, wanted.server_name)
    if taken:
        raise Conflict(taken, code="nginx_taken", todo=("Take it out there, or choose another domain.",))
    kept = KEY in nginx_edits.kept(ctx.db.read())
    put: Callable[..., bool] = force.restore if anew or (version.is_new(settings) and not kept) else force.put
    put(settings, {KEY: wanted}, unlogged)
    wrong = passing.amiss(force.probe_address(wanted.listen[0]), name)
    if wrong:
        raise HostFailed(f"NGINX does not pass on to Homeport: {wrong}.", code="probe_failed")
    return _pointed(ctx, Domain(name, "active", None, "", wanted.upstream, pointed=False))


def _refuse_unusable(ctx: Context) -> None:
    """Whether it takes its configuration is not for here: what is broken may be what is about to be mended."""
    checks = [one for one in load("nginx", ctx.settings).checks() if one.name != "nginx.test"]
    failed = next((one for one in checks if one.status == "failed"), None)
    if failed:
        raise HostFailed(f"NGINX can't be used: {failed.text}", code="nginx_unusable", todo=(failed.mend,))


def _pointed(ctx: Context, now: Domain) -> Domain:
    """With its record in DNS, where a provider keeps that zone."""
    dns, target, name = provider(ctx.settings, ctx.instance), ctx.settings.dns_target, wildcard.name_of(now.name)
    if dns is None or not target:
        return replace(now, dns=BY_HAND.format(name))
    with ctx.write() as db:
        before = domains.find(db)
        same = before if before and before.name == now.name else replace(now, status="pending")
        domains.put(db, replace(same, pointed=True))
    faults.point("domain point")
    try:
        there = dns.point(name, target, proxied=ctx.settings.cloudflare_proxied)
    except RemoteFailed as why:
        if why.code not in ELSEWHERE:
            raise
        return replace(now, dns=f"{why.detail} {BY_HAND.format(name)}")
    faults.point("after domain point")
    return replace(now, dns=f"{name} is {there.type} {there.content}.", pointed=there.ours)


def _unpoint(ctx: Context, before: Domain) -> None:
    """Only what bears our mark goes."""
    dns = provider(ctx.settings, ctx.instance)
    if dns and before.pointed:
        dns.remove(wildcard.name_of(before.name))
    with ctx.write() as db:
        domains.put(db, replace(before, status="pending", pointed=False))


def _ended(ctx: Context, entry: int, before: Domain | None, now: Domain | None) -> None:
    with ctx.write(UrlChanged(KEY, "")) as db:
        journal.end(db, entry, "done", "in force" if now else "out of force", ctx.moment())
        if now:
            asked_anew = jobs.queued(db, JOB, ANEW)
            domains.put(db, replace(now, status="pending") if asked_anew else now)
            edit = nginx_edits.find(db, KEY)
            if edit and not force.edited(ctx.settings, KEY):
                nginx_edits.remove(db, KEY)
        else:
            domains.remove(db)
            nginx_edits.remove(db, KEY)
        if now and (before is None or (before.name, before.status) != (now.name, "active")):
            record(ctx, db, HOMEPORT, "domain.active", now.name)
        if before and (now is None or before.name != now.name):
            record(ctx, db, HOMEPORT, "domain.gone", before.name)
    tell(ctx, "nginx", f"The domain of deployments is {f'{now.name}, in force' if now else 'out of force'}.")


def _failed(ctx: Context, entry: int, why: HomeportError) -> None:
    said = ctx.redact(in_words(why))
    with ctx.write(UrlChanged(KEY, "")) as db:
        journal.end(db, entry, "failed", ctx.redact(why.detail), ctx.moment())
        now = domains.find(db)
        if now:
            status = "failed" if not _passes(why) else now.status if now.status == "active" else "pending"
            domains.put(db, replace(now, status=status, error=said))
    tell_why(ctx, "dns" if isinstance(why, RemoteFailed) else "nginx", why, subject="the domain of deployments")


def _passes(why: HomeportError) -> bool:
    """What a service elsewhere can't do at the moment takes nothing out of force."""
    return isinstance(why, RemoteFailed) and not why.permanent
