"""An environment as its backend sees it."""

from pathlib import Path
from typing import Any

from appliance.backends import load
from appliance.backends.base import Backend
from appliance.context import Context
from appliance.deploy import paths
from appliance.model.environments import Environment
from appliance.model.rules import Rules
from appliance.model.sites import Release, Site
from appliance.model.urls import Url, fronts_of, main_of
from appliance.store import certificates, rules, urls


def site_of(ctx: Context, environment: Environment, hosts: tuple[str, ...] | None = None) -> Site:
    """With the hosts that a deploy answers for, if none are named."""
    attached = urls.of_environment(ctx.db.read(), environment.id)
    if hosts is None:
        hosts = _hosts(environment, attached)
    pointer = paths.pointer(ctx, environment.project, environment.name)
    return Site(
        project=environment.project,
        environment=environment.name,
        pointer=pointer,
        hosts=hosts,
        address=own_address(ctx, environment.project, environment.name),
        guard=environment.guard,
        earlier=paths.earlier(ctx, environment.id),
        rules=_rules_shown(ctx, pointer),
        fronts=fronts_of(attached),
        **_https(ctx, hosts),
    )


def _https(ctx: Context, hosts: tuple[str, ...]) -> dict[str, Any]:
    """A certificate whose files are gone is as good as none: NGINX would not start with it."""
    found = certificates.several(ctx.db.read(), hosts)
    https = {host: one.https for host, one in found.items() if one.https and paths.has_certificate(ctx, one)}
    return {"https": https, "challenged": frozenset(host for host, one in found.items() if one.tls == "acme")}


def backend_of(ctx: Context, environment: Environment) -> Backend:
    return load(environment.backend, ctx.settings)


def default_backend(ctx: Context) -> str:
    """What `auto` comes to on this host."""
    if ctx.settings.backend != "auto":
        return ctx.settings.backend
    ready = all(check.status != "failed" for check in load("nginx", ctx.settings).checks())
    return "nginx" if ready else "builtin"


def own_address(ctx: Context, project: str, environment: str) -> str:
    """Where Homeport itself answers for an environment."""
    name = project if environment == "production" else f"{environment}.{project}"
    return f"http://{name}.localhost:{ctx.base.port}/"


def address(ctx: Context, environment: Environment, attached: tuple[Url, ...]) -> str:
    """Where visitors go: the primary URL, or the oldest where that isn't in force, else Homeport's own address."""
    main = main_of(url for url in attached if url.status == "active")
    return at_url(ctx, environment, main) if main else own_address(ctx, environment.project, environment.name)


def at_url(ctx: Context, environment: Environment, url: Url) -> str:
    """Where one URL of an environment answers."""
    if environment.backend != "nginx":
        return _at(url.host, ctx.base.port)
    if url.certificate and url.certificate.status == "ok":
        port = _port(ctx.settings.nginx_listen_tls)
        return f"https://{url.host}{'' if port == 443 else f':{port}'}/"
    return through_nginx(ctx, url.host)


def through_nginx(ctx: Context, host: str) -> str:
    """Where NGINX answers for a host."""
    return _at(host, _port(ctx.settings.nginx_listen))


def release_shown(ctx: Context, pointer: Path) -> Release | None:
    """The release that a pointer leads to now, with the rules that it is shown by."""
    try:
        inner = pointer.readlink().name
        root = (pointer.parent / pointer.readlink()).resolve(strict=True)
    except OSError:
        return None
    _, at, key = inner.rpartition("@")
    kept = rules.find(ctx.db.read(), key) if at else paths.unfrozen_rules(root)
    return paths.release(ctx, root.name, kept)


def _rules_shown(ctx: Context, pointer: Path) -> Rules:
    """By the name of the link that a pointer leads to; by its files where it went live before rules were kept."""
    try:
        _, at, key = pointer.readlink().name.rpartition("@")
    except OSError:
        return Rules()
    if not at:
        return paths.unfrozen_rules(pointer)
    return rules.find(ctx.db.read(), key) or Rules()


def _hosts(environment: Environment, attached: tuple[Url, ...]) -> tuple[str, ...]:
    """The first deploy brings all URLs; later one joins by its own job, so that none that is refused stops a deploy."""
    return tuple(url.host for url in attached if environment.live is None or url.nginx.status == "ok")


def _at(host: str, port: int) -> str:
    return f"http://{host}/" if port == 80 else f"http://{host}:{port}/"


def _port(listen: str) -> int:
    return int(listen.split(maxsplit=1)[0].rsplit(":", 1)[-1])
