"""What happens outside when URLs come and go: NGINX, DNS, in that order; journaled before."""

from pathlib import Path

from appliance.access.actor import HOMEPORT
from appliance.access.record import record
from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.places import backend_of, site_of
from appliance.dns import Provider, Record, provider
from appliance.errors import HomeportError, RemoteFailed
from appliance.events import UrlChanged
from appliance.machine import files
from appliance.model.environments import Environment
from appliance.model.urls import Part, Url
from appliance.store import environments, journal, urls

TRIES = 8
WAITS = Part("waiting", "for a deployment")


class TryLater(RemoteFailed):
    """The job is put back in its queue."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, permanent=False)


def attach(ctx: Context, host: str, attempts: int) -> None:
    """Put a URL in force: NGINX, then DNS; active only when both are seen to be in order."""
    url = urls.find(ctx.db.read(), host)
    environment = environments.by_id(ctx.db.read(), url.environment_id) if url else None
    if url is None or environment is None:
        return
    if environment.live is None:
        _note(ctx, url, nginx=_served_part(environment, WAITS), dns=Part("waiting", "for a deployment"))
        return
    entry = _begin(ctx, "url.attach", host, {"backend": environment.backend})
    try:
        _serve(ctx, url, environment)
        _point(ctx, url)
    except RemoteFailed as why:
        _end(ctx, entry, "undone" if why.permanent else "failed", why.detail)
        _not_yet(ctx, url, why, last=why.permanent or attempts >= TRIES)
        return
    except HomeportError as why:
        _end(ctx, entry, "undone", why.detail)
        _fail(ctx, url, why)
        return
    _end(ctx, entry, "done", "in force")
    _activate(ctx, host, environment)


def detach(ctx: Context, entry_id: str, attempts: int) -> None:
    """Take a URL out of force; what has meanwhile been added again is left alone."""
    entry = journal.find(ctx.db.read(), int(entry_id))
    if entry is None:
        return
    host = entry.subject
    if urls.find(ctx.db.read(), host):
        _end(ctx, entry.id, "done", "added again meanwhile")
        return
    try:
        gone = _as_it_was(ctx, entry.intent)
        backend_of(ctx, gone).detach(site_of(ctx, gone, ()), host, _unlogged)
        dns = provider(ctx.settings, ctx.instance)
        if dns is not None and entry.intent["dns"]:
            dns.remove(host)
    except RemoteFailed as why:
        if why.permanent or attempts >= TRIES:
            _left_behind(ctx, entry, why)
            return
        raise TryLater(why.detail) from why
    except HomeportError as why:
        if attempts >= TRIES:
            _left_behind(ctx, entry, why)
            return
        raise TryLater(why.detail) from why
    _end(ctx, entry.id, "done", "out of force")


def move(ctx: Context, entry_id: str, attempts: int) -> None:
    """After a rename: what serves the URLs looks at the new place, then the old one goes."""
    entry = journal.find(ctx.db.read(), int(entry_id))
    if entry is None:
        return
    hosts = entry.intent["hosts"]
    for host in hosts if isinstance(hosts, list) else []:
        url = urls.find(ctx.db.read(), str(host))
        environment = environments.by_id(ctx.db.read(), url.environment_id) if url else None
        if url and environment and environment.live:
            try:
                backend_of(ctx, environment).attach(site_of(ctx, environment), url.host, _unlogged)
            except HomeportError as why:
                if attempts < TRIES:
                    raise TryLater(why.detail) from why
                _fail(ctx, url, why)
    _remove_old_place(ctx, Path(entry.subject))
    _end(ctx, entry.id, "done", "moved")


def _serve(ctx: Context, url: Url, environment: Environment) -> None:
    """Have the backend answer for the host, and see that it does."""
    backend_of(ctx, environment).attach(site_of(ctx, environment), url.host, _unlogged)
    _note(ctx, url, nginx=_served_part(environment, Part("ok", "In force")))


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
    _note(ctx, url, dns=Part("pending", "Asking"))
    _note(ctx, url, dns=_dns_part(_ask(ctx, dns, url)))


def _ask(ctx: Context, dns: Provider, url: Url) -> Record:
    proxied = ctx.settings.cloudflare_proxied if url.proxied is None else url.proxied
    return dns.point(url.host, ctx.settings.dns_target, proxied=proxied)


def _dns_part(record_there: Record) -> Part:
    made = "made by Homeport" if record_there.ours else "made by hand"
    return Part("ok", f"{record_there.type} {record_there.content}", made)


def _served_part(environment: Environment, part: Part) -> Part:
    """On `builtin` there is no NGINX to speak of."""
    if environment.backend == "nginx":
        return part
    return Part(part.status, "Served by Homeport" if part.status == "ok" else part.detail)


def _not_yet(ctx: Context, url: Url, why: RemoteFailed, *, last: bool) -> None:
    _note(ctx, url, dns=Part("failed" if last else "pending", "Refused" if last else "Trying again"))
    if last:
        _fail(ctx, url, why)
        return
    with ctx.write(UrlChanged(url.host, url.project)) as db:
        urls.set_state(db, url.host, "pending", ctx.redact(why.detail))
    raise TryLater(why.detail) from why


def _fail(ctx: Context, url: Url, why: HomeportError) -> None:
    text = " ".join((why.detail, *why.todo))
    if not isinstance(why, RemoteFailed):
        _note(ctx, url, nginx=Part("failed", "Refused"))
    with ctx.write(UrlChanged(url.host, url.project)) as db:
        urls.set_state(db, url.host, "failed", ctx.redact(text))
        record(ctx, db, HOMEPORT, "url.failed", url.host, project=url.project, environment=url.environment)


def _activate(ctx: Context, host: str, environment: Environment) -> None:
    with ctx.write(UrlChanged(host, environment.project)) as db:
        before = urls.find(db, host)
        urls.set_state(db, host, "active")
        if before and before.status != "active":
            record(ctx, db, HOMEPORT, "url.active", host, project=environment.project, environment=environment.name)


def _note(ctx: Context, url: Url, *, nginx: Part | None = None, dns: Part | None = None) -> None:
    with ctx.write(UrlChanged(url.host, url.project)) as db:
        if nginx:
            urls.set_nginx(db, url.host, nginx)
        if dns:
            urls.set_dns(db, url.host, dns)


def _left_behind(ctx: Context, entry: journal.Entry, why: HomeportError) -> None:
    """Say plainly what could not be undone, where people look."""
    _end(ctx, entry.id, "failed", why.detail)
    with ctx.write() as db:
        record(ctx, db, HOMEPORT, "url.left_behind", entry.subject, why=ctx.redact(why.detail))


def _as_it_was(ctx: Context, intent: dict[str, object]) -> Environment:
    return Environment(0, 0, str(intent["project"]), str(intent["environment"]), str(intent["backend"]), ctx.moment())


def _remove_old_place(ctx: Context, old: Path) -> None:
    """The old folder or pointer, unless someone lives there again."""
    known = {
        paths.pointer(ctx, environment.project, environment.name)
        for environment in environments.everyone(ctx.db.read())
    }
    if old not in known and not any(old in pointer.parents for pointer in known):
        files.remove_tree(old)


def _begin(ctx: Context, kind: str, subject: str, intent: dict[str, object]) -> int:
    with ctx.write() as db:
        journal.close(db, kind, subject, status="undone", outcome="begun again", at=ctx.moment())
        return journal.begin(db, kind, subject, intent, ctx.moment())


def _end(ctx: Context, entry_id: int, status: str, outcome: str) -> None:
    with ctx.write() as db:
        journal.end(db, entry_id, status, ctx.redact(outcome), ctx.moment())


def _unlogged(text: str) -> None:
    """URL jobs have no log of their own; the journal and the URL's parts say what happened."""
