"""What happens outside when URLs come and go: NGINX, then DNS. The journal knows before."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from appliance.access.actor import HOMEPORT
from appliance.access.record import record
from appliance.backends import load
from appliance.backends.base import Backend
from appliance.context import Context
from appliance.deploy.places import backend_of, release_shown, site_of
from appliance.dns import Record, provider
from appliance.errors import HomeportError, HostFailed, RemoteFailed
from appliance.events import JobAdded, UrlChanged
from appliance.machine import faults, files, served
from appliance.model.environments import Environment
from appliance.model.jobs import Job
from appliance.model.sites import Probe, Site
from appliance.model.urls import Part, Url
from appliance.process_log import tell, tell_why
from appliance.projects import certificate_steps
from appliance.store import environments, jobs, journal, urls
from appliance.store.db import Connection

TRIES = 12  # a good half hour, before what could not be undone is said to be left behind
PATIENCE = 2.0  # seconds for a deploy that swaps the pointer between two looks
SIDE_BY_SIDE = 8
MADE = "made by Homeport"
WAITS_FOR = {"dns_by_hand": "Waits for its record"}
WAITS = Part("waiting", "for a deployment")
PUTTING, IN_FORCE = Part("pending", "Putting in force"), Part("ok", "In force")


class TryLater(RemoteFailed):
    """The job is put back in its queue."""

    def __init__(self, why: HomeportError) -> None:
        retry_after = why.retry_after if isinstance(why, RemoteFailed) else 0
        super().__init__(why.detail, permanent=False, retry_after=retry_after)


Later = dict[int, TryLater]  # by job


@dataclass(frozen=True)
class _Coming:
    job: Job
    url: Url
    environment: Environment
    entry: int = 0


def attach(ctx: Context, those: Sequence[Job]) -> Later:
    """Put URLs in force: NGINX in one go, then DNS of each; active only when both are seen to be in order."""
    coming = _begin(ctx, _coming(ctx, those))
    _note(ctx, [one.url for one in coming if one.url.nginx.status != "ok"], nginx=PUTTING)
    refused = _serve(ctx, coming)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        ended = list(pool.map(lambda one: _finish(ctx, one, refused.get(one.url.host)), coming))
    return {one.job.id: why for one, why in zip(coming, ended, strict=True) if why}


def detach(ctx: Context, those: Sequence[Job]) -> Later:
    """Take URLs out of force. NGINX's no leaves no record standing, nor DNS's no a site."""
    found = ((job, journal.find(ctx.db.read(), int(job.subject))) for job in those)
    going = [(job, entry) for job, entry in found if entry]
    still_served = _unserve(ctx, [entry for _, entry in going])
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        still_pointed = list(pool.map(lambda one: _unpoint(ctx, one[1]), going))
    later = {}
    for (job, entry), pointing in zip(going, still_pointed, strict=True):
        if why := _gone(ctx, job, entry, [why for why in (still_served.get(entry.id), pointing) if why]):
            later[job.id] = why
    return later


def end_in_fault(ctx: Context, host: str) -> None:
    """A fault of ours is an end too: nobody waits for ever."""
    url = urls.find(ctx.db.read(), host)
    if url is not None:
        with ctx.write(UrlChanged(host, url.project)) as db:
            urls.set_state(db, host, "failed", "Homeport met an error of its own. Check again.")


def amiss(ctx: Context, site: Site, backend: Backend) -> Probe | None:
    """What a visitor would see amiss, looking for what the pointer leads to now."""
    release = release_shown(ctx, site.pointer)
    if release is None:
        return Probe(site.address, False, "its release is not on the disk")
    return next((one for one in backend.probe(site, release) if not one.ok), None)


def pointed(url: Url) -> bool:
    """Whether a record of ours may stand in DNS."""
    return url.dns.status == "pending" or url.dns.note == MADE


def _coming(ctx: Context, those: Sequence[Job]) -> list[_Coming]:
    """Those that can be put in force now. Where nothing is live, a URL waits for the first deployment."""
    db, found, waiting = ctx.db.read(), list[_Coming](), list[Url]()
    for job in those:
        url = urls.find(db, job.subject)
        environment = environments.by_id(db, url.environment_id) if url else None
        if url and environment:
            if environment.live:
                found.append(_Coming(job, url, environment))
            else:
                waiting.append(url)
    for url in waiting:
        _note(ctx, [url], nginx=WAITS, dns=replace(WAITS, note=url.dns.note))
    return found


def _begin(ctx: Context, coming: list[_Coming]) -> list[_Coming]:
    """The journal knows of all of them before anything happens."""
    if not coming:
        return []
    with ctx.write() as db:
        return [replace(one, entry=_begin_one(ctx, db, one)) for one in coming]


def _begin_one(ctx: Context, db: Connection, one: _Coming) -> int:
    intent = {"backend": one.environment.backend, "target": ctx.settings.dns_target}
    journal.close(db, "url.attach", one.url.host, status="undone", outcome="begun again", at=ctx.moment())
    return journal.begin(db, "url.attach", one.url.host, intent, ctx.moment())


def _serve(ctx: Context, coming: list[_Coming]) -> dict[str, HomeportError]:
    """Have each backend answer for its hosts, in one go; says which it refused, each with why."""
    refused: dict[str, HomeportError] = {}
    for name in sorted({one.environment.backend for one in coming}):
        mine = [one for one in coming if one.environment.backend == name]
        faults.point("nginx put")
        try:
            those = [(site_of(ctx, one.environment, (one.url.host,)), one.url.host) for one in mine]
            refused |= load(name, ctx.settings).attach_many(those, unlogged)
        except HomeportError as why:
            refused |= dict.fromkeys((one.url.host for one in mine), why)
        faults.point("after nginx put")
    return refused


def _finish(ctx: Context, one: _Coming, refused: HomeportError | None) -> TryLater | None:
    """See that it is served, point DNS here, and say what came of it."""
    try:
        if refused:
            raise refused
        with files.refusals():
            _see(ctx, one)
            _point(ctx, one.url)
    except HomeportError as why:
        _end(ctx, one.entry, "failed", why.detail)
        return _amiss(ctx, one, why)
    faults.point("url active")
    _activate(ctx, one)
    return None


def _see(ctx: Context, one: _Coming) -> None:
    """A deploy may swap the pointer between two looks."""
    site, backend = site_of(ctx, one.environment, (one.url.host,)), backend_of(ctx, one.environment)
    if not served.until(lambda: not amiss(ctx, site, backend), PATIENCE) and (red := amiss(ctx, site, backend)):
        raise HostFailed(
            f"{red.url} does not answer with its site: {red.detail}.",
            code="probe_failed",
            todo=(f"Look at what answers for {red.url} on this host.", "Then check again."),
        )
    _note(ctx, [one.url], nginx=_served_part(one.environment, IN_FORCE))


def _point(ctx: Context, url: Url) -> None:
    """Have DNS lead here, where a provider is set up."""
    dns = provider(ctx.settings, ctx.instance)
    if dns is None:
        _note(ctx, [url], dns=Part("none", "Not managed", "point it at this host where it is kept"))
        return
    if not ctx.settings.dns_target:
        raise RemoteFailed(
            "A DNS provider is set up, but not what records should point to.",
            permanent=True,
            todo=("Set “Records point to” in Settings, DNS. Then check again.",),
        )
    if url.dns.status != "ok" and url.dns.detail not in WAITS_FOR.values():
        _note(ctx, [url], dns=Part("pending", "Asking", url.dns.note))
    proxied = ctx.settings.cloudflare_proxied if url.proxied is None else url.proxied
    faults.point("dns point")
    there = dns.point(url.host, ctx.settings.dns_target, proxied=proxied)
    faults.point("after dns point")
    if url.dns != (part := _dns_part(there)):
        tell(ctx, "dns", f"{url.host} is {part.detail}, {part.note}.", subject=url.host, project=url.project)
    _note(ctx, [url], dns=part)


def _dns_part(there: Record) -> Part:
    return Part("ok", f"{there.type} {there.content}", MADE if there.ours else "made by hand")


def _served_part(environment: Environment, part: Part) -> Part:
    """On `builtin` there is no NGINX to speak of."""
    if environment.backend == "nginx" or part.status != "ok":
        return part
    return Part("ok", "Served by Homeport")


def _amiss(ctx: Context, one: _Coming, why: HomeportError) -> TryLater | None:
    """Say what stands in the way; what may pass by itself is tried again for as long as the URL is there."""
    url, passing = one.url, isinstance(why, RemoteFailed) and not why.permanent
    part = Part("pending", WAITS_FOR.get(why.code, "Trying again")) if passing else Part("failed", "Refused")
    area, level = "dns" if isinstance(why, RemoteFailed) else "nginx", "warn" if passing else "error"
    tell_why(ctx, area, why, level=level, subject=url.host, project=url.project)
    with ctx.write(UrlChanged(url.host, url.project)) as db:
        now = _same(db, url)
        if now is None or jobs.queued(db, "url.attach", url.host):
            return None  # gone, or asked for anew: what that one finds counts
        if isinstance(why, RemoteFailed):
            urls.set_dns(db, url.host, replace(part, note=MADE if now.dns.note == MADE else ""))
        else:
            urls.set_nginx(db, url.host, _served_part(one.environment, part))
        urls.set_state(db, url.host, part.status, ctx.redact(in_words(why)))
        if part.status == "failed" != now.status:
            where, said = {"project": url.project, "environment": url.environment}, ctx.redact(why.detail)
            record(ctx, db, HOMEPORT, "url.failed", url.host, **where, why=said)
    return TryLater(why) if passing else None


def in_words(why: HomeportError) -> str:
    own = " ".join(why.said.split())
    said = (f"In its own words: {own}",) if own and own not in why.detail else ()
    return " ".join((why.detail, *why.todo, *said))


def _activate(ctx: Context, one: _Coming) -> None:
    url = one.url
    with ctx.write(UrlChanged(url.host, url.project), JobAdded()) as db:
        journal.end(db, one.entry, "done", "in force", ctx.moment())
        now = _same(db, url)
        if now is None:
            return
        urls.set_state(db, url.host, "active")
        certificate_steps.go_on(ctx, db, url.host, one.environment)
        if now.status != "active":
            record(ctx, db, HOMEPORT, "url.active", url.host, project=url.project, environment=url.environment)
    tell(ctx, "nginx", f"{url.host} is in force.", subject=url.host, project=url.project)


def _note(ctx: Context, those: Iterable[Url], *, nginx: Part | None = None, dns: Part | None = None) -> None:
    those = tuple(those)
    if not those:
        return
    with ctx.write(*(UrlChanged(url.host, url.project) for url in those), lasting=False) as db:
        for url in those:
            if _same(db, url):
                if nginx:
                    urls.set_nginx(db, url.host, nginx)
                if dns:
                    urls.set_dns(db, url.host, dns)


def _same(db: Connection, url: Url) -> Url | None:
    """The row as it is now, unless it was removed meanwhile, or added again elsewhere."""
    now = urls.find(db, url.host)
    same = now and (now.environment_id, now.created_at) == (url.environment_id, url.created_at)
    return now if same else None


def _unserve(ctx: Context, entries: Sequence[journal.Entry]) -> dict[int, HomeportError]:
    """Have no backend answer any more; says which are still served, each with why."""
    leaving: dict[str, list[journal.Entry]] = {}
    for entry in entries:
        if not _served_again(ctx, entry):
            leaving.setdefault(str(entry.intent["backend"]), []).append(entry)
    wrong: dict[int, HomeportError] = {}
    for name, those in leaving.items():
        faults.point("nginx remove")
        refused = _detached(ctx, name, those)
        wrong |= {entry.id: refused[entry.subject] for entry in those if entry.subject in refused}
        faults.point("after nginx remove")
    return wrong


def _detached(ctx: Context, backend: str, entries: list[journal.Entry]) -> Mapping[str, HomeportError]:
    try:
        those = [(site_of(ctx, _as_it_was(ctx, entry), ()), entry.subject) for entry in entries]
        return load(backend, ctx.settings).detach_many(those, unlogged)
    except HomeportError as why:
        return {entry.subject: why for entry in entries}


def _as_it_was(ctx: Context, entry: journal.Entry) -> Environment:
    was = entry.intent
    return Environment(0, 0, str(was["project"]), str(was["environment"]), str(was["backend"]), ctx.moment())


def _served_again(ctx: Context, entry: journal.Entry) -> bool:
    """A host that was added again where the same backend serves it goes straight over there."""
    again = urls.find(ctx.db.read(), entry.subject)
    now = environments.by_id(ctx.db.read(), again.environment_id) if again else None
    return bool(now and now.live and now.backend == entry.intent["backend"])


def _unpoint(ctx: Context, entry: journal.Entry) -> HomeportError | None:
    """Have DNS lead here no more; says why it still does. What was never made can't be left behind."""
    if urls.find(ctx.db.read(), entry.subject):
        return None
    try:
        dns = provider(ctx.settings, ctx.instance)
        if dns is None:
            return _no_provider(entry) if entry.intent["pointed"] else None
        faults.point("dns remove")
        dns.remove(entry.subject)
        faults.point("after dns remove")
    except HomeportError as why:
        lasting = isinstance(why, RemoteFailed) and why.permanent
        return None if lasting and not entry.intent["pointed"] else why
    return None


def _no_provider(entry: journal.Entry) -> RemoteFailed:
    detail = f"The DNS record of {entry.subject} stays, because no DNS provider is set up any more."
    return RemoteFailed(detail, permanent=True)


def _gone(ctx: Context, job: Job, entry: journal.Entry, wrong: list[HomeportError]) -> TryLater | None:
    """Say what came of it, unless it is tried again."""
    passing = [why for why in wrong if not (isinstance(why, RemoteFailed) and why.permanent)]
    if passing and job.attempts < TRIES:
        return TryLater(passing[0])
    if wrong:
        _left_behind(ctx, entry, " ".join(why.detail for why in wrong))
        for why in wrong:
            area = "dns" if isinstance(why, RemoteFailed) else "nginx"
            tell_why(ctx, area, why, subject=entry.subject, project=str(entry.intent["project"]))
        return None
    faults.point("url gone")
    _end(ctx, entry.id, "done", "out of force")
    tell(ctx, "nginx", f"{entry.subject} is out of force.", subject=entry.subject, project=str(entry.intent["project"]))
    return None


def _left_behind(ctx: Context, entry: journal.Entry, why: str) -> None:
    """Say plainly what could not be undone, where people look."""
    _end(ctx, entry.id, "failed", why)
    with ctx.write() as db:
        project = str(entry.intent["project"])
        record(ctx, db, HOMEPORT, "url.left_behind", entry.subject, project=project, why=ctx.redact(why))


def _end(ctx: Context, entry_id: int, status: str, outcome: str) -> None:
    with ctx.write() as db:
        journal.end(db, entry_id, status, ctx.redact(outcome), ctx.moment())


def unlogged(text: str) -> None:
    """URL jobs have no log of their own; the journal and the URL's parts say what happened."""
