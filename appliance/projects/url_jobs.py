"""What happens outside when URLs come and go: NGINX, then DNS. The journal knows before."""

from collections.abc import Callable
from dataclasses import replace

from appliance.access.actor import HOMEPORT
from appliance.access.record import record
from appliance.backends.base import Backend
from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.places import backend_of, root_of, site_of
from appliance.dns import Record, provider
from appliance.errors import HomeportError, HostFailed, RemoteFailed
from appliance.events import UrlChanged
from appliance.machine import faults, files, served
from appliance.model.environments import Environment
from appliance.model.sites import Probe, Site
from appliance.model.urls import Part, Url
from appliance.store import environments, jobs, journal, urls
from appliance.store.db import Connection

TRIES = 12  # a good half hour, before what could not be undone is said to be left behind
PATIENCE = 2.0  # seconds for a deploy that swaps the pointer between two looks
MADE = "made by Homeport"
WAITS = Part("waiting", "for a deployment")


class TryLater(RemoteFailed):
    """The job is put back in its queue."""

    def __init__(self, why: HomeportError) -> None:
        retry_after = why.retry_after if isinstance(why, RemoteFailed) else 0
        super().__init__(why.detail, permanent=False, retry_after=retry_after)


def attach(ctx: Context, host: str, _: int) -> None:
    """Put a URL in force: NGINX, then DNS; active only when both are seen to be in order."""
    url = urls.find(ctx.db.read(), host)
    environment = environments.by_id(ctx.db.read(), url.environment_id) if url else None
    if url is None or environment is None:
        return
    if environment.live is None:
        _note(ctx, url, nginx=WAITS, dns=replace(WAITS, note=url.dns.note))
        return
    entry = _begin(ctx, host, {"backend": environment.backend, "target": ctx.settings.dns_target})
    try:
        with files.refusals():
            _serve(ctx, url, environment)
            _point(ctx, url)
    except HomeportError as why:
        _end(ctx, entry, "failed", why.detail)
        _amiss(ctx, url, environment, why)
        return
    faults.point("url active")
    _end(ctx, entry, "done", "in force")
    _activate(ctx, url)


def detach(ctx: Context, entry_id: str, attempts: int) -> None:
    """Take a URL out of force. NGINX's no leaves no record standing, nor DNS's no a site."""
    entry = journal.find(ctx.db.read(), int(entry_id))
    if entry is None:
        return
    wrong = [why for undo in (_unserve, _unpoint) if (why := _tried(undo, ctx, entry))]
    passing = [why for why in wrong if not (isinstance(why, RemoteFailed) and why.permanent)]
    if passing and attempts < TRIES:
        raise TryLater(passing[0])
    if wrong:
        _left_behind(ctx, entry, " ".join(why.detail for why in wrong))
        return
    faults.point("url gone")
    _end(ctx, entry.id, "done", "out of force")


def end_in_fault(ctx: Context, host: str) -> None:
    """A fault of ours is an end too: nobody waits for ever."""
    url = urls.find(ctx.db.read(), host)
    if url is not None:
        with ctx.write(UrlChanged(host, url.project)) as db:
            urls.set_state(db, host, "failed", "Homeport met an error of its own. Check again.")


def amiss(ctx: Context, site: Site, backend: Backend) -> Probe | None:
    """What a visitor would see amiss, looking for what the pointer leads to now."""
    root = root_of(site.pointer)
    if root is None:
        return Probe(site.address, False, "its release is not on the disk")
    return next((one for one in backend.probe(site, paths.release(ctx, root.name)) if not one.ok), None)


def pointed(url: Url) -> bool:
    """Whether a record of ours may stand in DNS."""
    return url.dns.status == "pending" or url.dns.note == MADE


def _serve(ctx: Context, url: Url, environment: Environment) -> None:
    """Have the backend answer for the host, and see that it does."""
    if url.nginx.status != "ok":
        _note(ctx, url, nginx=_served_part(environment, Part("pending", "Putting in force")))
    site, backend = site_of(ctx, environment, (url.host,)), backend_of(ctx, environment)
    faults.point("nginx put")
    backend.attach(site, url.host, unlogged)
    faults.point("after nginx put")
    _see(ctx, site, backend)
    _note(ctx, url, nginx=_served_part(environment, Part("ok", "In force")))


def _see(ctx: Context, site: Site, backend: Backend) -> None:
    """A deploy may swap the pointer between two looks."""
    if served.until(lambda: not amiss(ctx, site, backend), PATIENCE):
        return
    if red := amiss(ctx, site, backend):
        raise HostFailed(
            f"{red.url} does not answer with its site: {red.detail}.",
            code="probe_failed",
            todo=(f"Look at what answers for {red.url} on this host.", "Then check again."),
        )


def _point(ctx: Context, url: Url) -> None:
    """Have DNS lead here, where a provider is set up."""
    dns = provider(ctx.settings, ctx.instance)
    if dns is None:
        _note(ctx, url, dns=Part("none", "Not managed", "point it at this host where it is kept"))
        return
    if not ctx.settings.dns_target:
        raise RemoteFailed(
            "A DNS provider is set up, but not what records should point to.",
            permanent=True,
            todo=("Set “Records point to” in Settings, DNS. Then check again.",),
        )
    if url.dns.status != "ok":
        _note(ctx, url, dns=Part("pending", "Asking", url.dns.note))
    proxied = ctx.settings.cloudflare_proxied if url.proxied is None else url.proxied
    faults.point("dns point")
    there = dns.point(url.host, ctx.settings.dns_target, proxied=proxied)
    faults.point("after dns point")
    _note(ctx, url, dns=_dns_part(there))


def _dns_part(there: Record) -> Part:
    return Part("ok", f"{there.type} {there.content}", MADE if there.ours else "made by hand")


def _served_part(environment: Environment, part: Part) -> Part:
    """On `builtin` there is no NGINX to speak of."""
    if environment.backend == "nginx" or part.status != "ok":
        return part
    return Part("ok", "Served by Homeport")


def _amiss(ctx: Context, url: Url, environment: Environment, why: HomeportError) -> None:
    """Say what stands in the way; what may pass by itself is tried again for as long as the URL is there."""
    passing = isinstance(why, RemoteFailed) and not why.permanent
    part = Part("pending", "Trying again") if passing else Part("failed", "Refused")
    with ctx.write(UrlChanged(url.host, url.project)) as db:
        now = _same(db, url)
        if now is None or jobs.queued(db, "url.attach", url.host):
            return  # gone, or asked for anew: what that one finds counts
        if isinstance(why, RemoteFailed):
            urls.set_dns(db, url.host, replace(part, note=MADE if now.dns.note == MADE else ""))
        else:
            urls.set_nginx(db, url.host, _served_part(environment, part))
        urls.set_state(db, url.host, part.status, ctx.redact(_in_words(why)))
        if part.status == "failed" != now.status:
            record(ctx, db, HOMEPORT, "url.failed", url.host, project=url.project, environment=url.environment)
    if passing:
        raise TryLater(why) from why


def _in_words(why: HomeportError) -> str:
    own = " ".join(why.said.split())
    said = (f"In its own words: {own}",) if own and own not in why.detail else ()
    return " ".join((why.detail, *why.todo, *said))


def _activate(ctx: Context, url: Url) -> None:
    with ctx.write(UrlChanged(url.host, url.project)) as db:
        now = _same(db, url)
        if now is None:
            return
        urls.set_state(db, url.host, "active")
        if now.status != "active":
            record(ctx, db, HOMEPORT, "url.active", url.host, project=url.project, environment=url.environment)


def _note(ctx: Context, url: Url, *, nginx: Part | None = None, dns: Part | None = None) -> None:
    with ctx.write(UrlChanged(url.host, url.project)) as db:
        if _same(db, url) is None:
            return
        if nginx:
            urls.set_nginx(db, url.host, nginx)
        if dns:
            urls.set_dns(db, url.host, dns)


def _same(db: Connection, url: Url) -> Url | None:
    """The row as it is now, unless it was removed meanwhile, or added again elsewhere."""
    now = urls.find(db, url.host)
    same = now and (now.environment_id, now.created_at) == (url.environment_id, url.created_at)
    return now if same else None


def _tried(undo: Callable[[Context, journal.Entry], None], ctx: Context, entry: journal.Entry) -> HomeportError | None:
    try:
        with files.refusals():
            undo(ctx, entry)
    except HomeportError as why:
        return why
    return None


def _unserve(ctx: Context, entry: journal.Entry) -> None:
    """A host that was added again where the same backend serves it goes straight over there."""
    again = urls.find(ctx.db.read(), entry.subject)
    now = environments.by_id(ctx.db.read(), again.environment_id) if again else None
    was = _as_it_was(ctx, entry.intent)
    if now and now.live and now.backend == was.backend:
        return
    faults.point("nginx remove")
    backend_of(ctx, was).detach(site_of(ctx, was, ()), entry.subject, unlogged)
    faults.point("after nginx remove")


def _unpoint(ctx: Context, entry: journal.Entry) -> None:
    """What was never made can't be left behind."""
    if urls.find(ctx.db.read(), entry.subject):
        return
    dns = provider(ctx.settings, ctx.instance)
    if dns is None:
        if entry.intent["pointed"]:
            raise RemoteFailed(
                f"The DNS record of {entry.subject} stays, because no DNS provider is set up any more.", permanent=True
            )
        return
    try:
        faults.point("dns remove")
        dns.remove(entry.subject)
        faults.point("after dns remove")
    except RemoteFailed as why:
        if entry.intent["pointed"] or not why.permanent:
            raise


def _left_behind(ctx: Context, entry: journal.Entry, why: str) -> None:
    """Say plainly what could not be undone, where people look."""
    _end(ctx, entry.id, "failed", why)
    with ctx.write() as db:
        project = str(entry.intent["project"])
        record(ctx, db, HOMEPORT, "url.left_behind", entry.subject, project=project, why=ctx.redact(why))


def _as_it_was(ctx: Context, intent: dict[str, object]) -> Environment:
    return Environment(0, 0, str(intent["project"]), str(intent["environment"]), str(intent["backend"]), ctx.moment())


def _begin(ctx: Context, host: str, intent: dict[str, object]) -> int:
    with ctx.write() as db:
        journal.close(db, "url.attach", host, status="undone", outcome="begun again", at=ctx.moment())
        return journal.begin(db, "url.attach", host, intent, ctx.moment())


def _end(ctx: Context, entry_id: int, status: str, outcome: str) -> None:
    with ctx.write() as db:
        journal.end(db, entry_id, status, ctx.redact(outcome), ctx.moment())


def unlogged(text: str) -> None:
    """URL jobs have no log of their own; the journal and the URL's parts say what happened."""
