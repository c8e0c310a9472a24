"""What happens to every request before a route sees it: an id, who is asking, from where."""

from os import urandom
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.access import keys, sessions, setup
from appliance.access.actor import Actor, nobody
from appliance.context import Context
from appliance.errors import Forbidden, HomeportError
from appliance.web.errors import respond
from appliance.web.headers import with_safe_headers
from appliance.web.remembered import Memory

COOKIE = "homeport_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BELIEVED = 1.0  # seconds for which a token is not looked up again, unless the database has changed
BEFORE_SETUP = ("/healthz", "/setup", "/setup/restore", "/static/", "/api/v1/setup")


class Edge:
    """Knows who asks, refuses forged requests, and puts the safe headers on every answer."""

    def __init__(self, app: ASGIApp, ctx: Context) -> None:
        self._app = app
        self._ctx = ctx
        self._set_up = False
        self._known = Memory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = urandom(8).hex()
        state = scope.setdefault("state", {})
        state["ctx"], state["request_id"], state["actor"] = self._ctx, request_id, nobody()
        state["version"] = self._ctx.db.version()
        state["ip"], state["secure"] = self._where_from(scope, headers)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": with_safe_headers(message["headers"], request_id)}
            await send(message)

        try:
            state["actor"] = self._who(headers, state)
            self._refuse_forged(scope, headers)
            self._refuse_before_setup(scope["path"])
        except HomeportError as why:
            await respond(scope, why)(scope, receive, send_safely)
            return
        await self._app(scope, receive, send_safely)

    def _who(self, headers: Headers, state: dict[str, Any]) -> Actor:
        ip: str | None = state["ip"]
        shown = headers.get("authorization"), headers.get("cookie"), ip
        if shown[:2] == (None, None):
            return nobody(ip)
        known, now = self._known.at(state["version"]), monotonic()
        found = known.get(shown)
        if isinstance(found, tuple) and found[1] >= now:
            remembered: Actor = found[0]
            return remembered
        actor = self._look_up(headers, ip)
        if actor.signed_in:  # whoever is nobody can't fill the memory
            known[shown] = actor, now + BELIEVED
        return actor

    def _look_up(self, headers: Headers, ip: str | None) -> Actor:
        if token := _bearer(headers):
            if token.startswith(keys.PREFIX):
                return keys.actor_of(self._ctx, token, ip=ip)
            return sessions.actor_of(self._ctx, token, door="api", ip=ip)
        cookies = cookie_parser(headers.get("cookie", ""))
        session = cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)
        return sessions.actor_of(self._ctx, session, door="browser", ip=ip) if session else nobody(ip)

    def _refuse_forged(self, scope: Scope, headers: Headers) -> None:
        """A browser says where a request comes from; another site's pages may not act here."""
        if scope["method"] in SAFE or _bearer(headers):
            return
        fetch_site = headers.get("sec-fetch-site")
        if fetch_site is not None:
            if fetch_site in ("same-origin", "none"):
                return
        else:
            origin = headers.get("origin")
            if origin is None or urlsplit(origin).netloc == headers.get("host"):
                return
        raise Forbidden(
            "This request came from another site's page, so it was not carried out. Open Homeport itself to do it.",
            code="cross_site",
        )

    def _refuse_before_setup(self, path: str) -> None:
        if self._set_up:
            return
        self._set_up = not setup.needed(self._ctx)
        if not self._set_up and not any(
            path == one or (one[-1] == "/" and path.startswith(one)) for one in BEFORE_SETUP
        ):
            raise Forbidden(
                "This host is not set up yet. Open the set-up link that `homeport serve` printed; "
                "it is also in the file `setup-link` in the data folder, and `homeport setup-link` makes a new one.",
                code="not_set_up",
            )

    def _where_from(self, scope: Scope, headers: Headers) -> tuple[str | None, bool]:
        """The visitor's address, and whether they came by HTTPS; a proxy is believed only where it was named."""
        peer = scope["client"][0] if scope.get("client") else None
        secure = scope["scheme"] == "https"
        if peer is not None and peer in self._ctx.base.trusted_proxies.replace(",", " ").split():
            forwarded = headers.get("x-forwarded-for", "").split(",")[-1].strip()
            return forwarded or peer, headers.get("x-forwarded-proto", scope["scheme"]) == "https"
        return peer, secure


def _bearer(headers: Headers) -> str:
    """A token that the caller sent on purpose; a browser never does that by itself."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
