"""Which site a host name leads to, before anything of the appliance sees the request."""

from dataclasses import replace
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from appliance.access.names import is_address, own
from appliance.context import Context
from appliance.model.fronts import Front
from appliance.model.urls import Url, fronts_of, wildcard_over
from appliance.store import urls
from appliance.web import proxies, sites
from appliance.web.live import Live

LOCAL = ".localhost"


class HostSwitch:
    """Sites go out by their host names; every other name is the appliance itself."""

    def __init__(self, app: ASGIApp, ctx: Context) -> None:
        self._app = app
        self._ctx = ctx
        self._live = Live(ctx)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        proxies.believe(scope, self._ctx.base.trusted_proxies)
        host = _host(scope)
        if host.endswith(LOCAL):
            await sites.serve(scope, receive, send, self._local(*_place(host.removesuffix(LOCAL))))
        elif host and host != "localhost" and (shown := self._attached(host)):
            await sites.serve(scope, receive, send, shown)
        elif domain := self._domain(host):  # whatever else is under it is never the appliance
            found = self._live.permanent(host.removesuffix(domain))
            await sites.serve(scope, receive, send, found or self._live.nothing(unlisted=True))
        else:
            scope.setdefault("state", {})["host"] = host
            await self._app(scope, receive, send)

    def _local(self, project: str, name: str) -> sites.Shown:
        """A deployment by its id, or an environment by its name."""
        if not project:
            return self._live.nothing()
        return self._live.permanent(name, project) or self._live.of(project, name)

    def _domain(self, host: str) -> str:
        """What is behind the name of a deployment, where deployments have a domain and this is under it."""
        settings = self._ctx.settings
        under = f".{settings.nginx_deployments}"
        own = urlsplit(settings.url).hostname
        return under if settings.nginx_deployments and host.endswith(under) and host != own else ""

    def _attached(self, host: str) -> sites.Shown | None:
        """Where nothing is found, its project may have been renamed between the look at the row and the look there."""
        url = self._url_of(host)
        shown = self._live.of(url.project, url.environment) if url else None
        if shown and shown.empty and (url := self._url_of(host)):
            shown = self._live.of(url.project, url.environment)
        return self._fronted(shown, url) if shown and url else shown

    def _url_of(self, host: str) -> Url | None:
        """An exact name comes before a wildcard, and so do the appliance's own."""
        if is_address(host):
            return None
        db = self._ctx.db.read()
        return urls.find(db, host) or (self._wildcard_over(host) if host.count(".") > 1 else None)

    def _wildcard_over(self, host: str) -> Url | None:
        found = urls.find(self._ctx.db.read(), wildcard_over(host))
        return None if found and host in own(self._ctx) else found

    def _fronted(self, shown: sites.Shown, url: Url) -> sites.Shown:
        """With what stands before this URL alone."""
        front = url.front
        if front.redirect_to:
            front = fronts_of(urls.of_environment(self._ctx.db.read(), url.environment_id)).get(url.host, front)
        return shown if front == Front() else replace(shown, front=front, guard=front.guard(shown.guard))


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            text: str = value.decode("latin-1").lower()
            host = text.rpartition(":")[0] if text.rpartition(":")[2].isdigit() and not text.endswith("]") else text
            return host.rstrip(".")
    return ""


def _place(name: str) -> tuple[str, str]:
    """`blog` is its production, `staging.blog` its staging; anything that is no name leads nowhere."""
    environment, _, project = name.rpartition(".")
    good = all(part.replace("-", "").isalnum() and part.isascii() for part in (project, environment or "production"))
    return (project, environment or "production") if good else ("", "")
