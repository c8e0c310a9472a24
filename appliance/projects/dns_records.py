"""Records of ours in DNS: which aren't as they should be, which nothing needs any more, and the two ways out."""

from dataclasses import dataclass
from typing import Annotated

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.dns import Provider, Record, Target, provider
from appliance.errors import Conflict, NotFound
from appliance.events import JobAdded
from appliance.model.urls import Url
from appliance.nginx import wildcard
from appliance.projects import domain
from appliance.projects.url_jobs import MADE
from appliance.projects.urls import check_again
from appliance.store import domains, jobs, journal, urls

GONE = "Nothing here uses it any more."


@dataclass(frozen=True)
class DnsRecord:
    host: str
    type: Annotated[str, "`A`, `AAAA` or `CNAME`"]
    content: Annotated[str, "Where it leads, or led when Homeport made it"]
    proxied: bool
    state: Annotated[str, "`ok`, `drifted` (not as Homeport would make it) or `dangling` (nothing uses it any more)"]
    detail: Annotated[str, "What is amiss, in words"]
    project: Annotated[str | None, "Whose URL it is for"]


def look(ctx: Context) -> list[DnsRecord]:
    """Asks the provider now. Worst first."""
    dns = provider(ctx.settings, ctx.instance)
    if dns is None:
        return []
    wanted = _wanted(ctx)
    found = {one.host: one for one in dns.ours(tuple(sorted({*wanted, *_left_behind(ctx)})))}
    seen = [_seen(ctx, dns, one, wanted) for one in found.values()]
    seen += [_missing(ctx, url) for host, url in wanted.items() if url and host not in found and url.dns.note == MADE]
    return sorted(seen, key=lambda one: (("dangling", "drifted", "ok").index(one.state), one.host))


def mend(ctx: Context, actor: Actor, host: str) -> None:
    """Have it made again as it should be, by the way that it came to be."""
    need(actor, "settings.update")
    if host == _of_deployments(ctx):
        domain.settle_again(ctx)
        return
    if urls.find(ctx.db.read(), host) is None:
        raise _unused(host)
    check_again(ctx, actor, host)


def remove(ctx: Context, actor: Actor, host: str) -> None:
    """Only what bears our mark goes, and only where nothing uses it. A job does it, and tries again where it must."""
    need(actor, "settings.update")
    _refuse_used(ctx, host)
    if not any(one.host == host for one in look(ctx)):
        raise NotFound(f"Homeport has no record of its own for {host}.", code="no_record")
    intent = {"host": host, "project": "", "environment": "", "backend": "builtin", "pointed": True}
    with ctx.write(JobAdded()) as db:
        entry = journal.begin(db, "url.detach", host, intent, ctx.moment())
        jobs.add(db, "url.detach", str(entry), queue="hosts", at=ctx.moment())
        record(ctx, db, actor, "dns.remove", host)


def find(ctx: Context, host: str) -> DnsRecord:
    found = next((one for one in look(ctx) if one.host == host), None)
    if found is None:
        raise NotFound(f"Homeport has no record of its own for {host}.", code="no_record")
    return found


def _wanted(ctx: Context) -> dict[str, Url | None]:
    """Every host that needs a record; None is the domain of deployments."""
    wanted: dict[str, Url | None] = {url.host: url for url in urls.every(ctx.db.read())}
    own = _of_deployments(ctx)
    return {**wanted, own: None} if own else wanted


def _of_deployments(ctx: Context) -> str:
    now = domains.find(ctx.db.read())
    return wildcard.name_of(now.name) if now else ""


def _left_behind(ctx: Context) -> list[str]:
    """Hosts whose record could not be removed: a provider that lists nothing is asked for them by name."""
    return journal.subjects(ctx.db.read(), "url.detach")


def _seen(ctx: Context, dns: Provider, one: Record, wanted: dict[str, Url | None]) -> DnsRecord:
    if one.host not in wanted:
        return _as(one, "dangling", GONE)
    url = wanted[one.host]
    amiss = _amiss(ctx, dns, one, url)
    return _as(one, "drifted" if amiss else "ok", amiss, url.project if url else None)


def _amiss(ctx: Context, dns: Provider, one: Record, url: Url | None) -> str:
    if not one.there:
        return "It was deleted or changed by hand."
    if not ctx.settings.dns_target:
        return ""
    target = Target.parse(ctx.settings.dns_target)
    if (one.type, one.content) != (target.type, target.content):
        return f"It should be {target.type} {target.content}."
    chosen = url.proxied if url else None
    proxied = ctx.settings.cloudflare_proxied if chosen is None else chosen
    if dns.proxies and one.proxied != proxied:
        return "It should go through the proxy." if proxied else "It should not go through the proxy."
    return ""


def _missing(ctx: Context, url: Url) -> DnsRecord:
    type, _, content = url.dns.detail.partition(" ")
    lost = Record(url.host, type, content, ours=True, there=False)
    return _as(lost, "drifted", "It is gone, or no longer bears Homeport’s mark.", url.project)


def _as(one: Record, state: str, detail: str, project: str | None = None) -> DnsRecord:
    return DnsRecord(one.host, one.type, one.content, one.proxied, state, detail, project)


def _refuse_used(ctx: Context, host: str) -> None:
    if host in _wanted(ctx):
        raise Conflict(
            f"{host} is in use here.", code="record_used", todo=("Remove the URL: its record goes with it.",)
        )


def _unused(host: str) -> Conflict:
    return Conflict(f"No URL here uses {host}.", code="record_unused", todo=("Remove its record instead.",))
