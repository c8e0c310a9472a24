"""What happens to every request before a route sees it: an id, who is asking, from where."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.access import keys, sessions, setup
from appliance.access.actor import Actor, nobody
from appliance.context import Context
from appliance.errors import Forbidden, HomeportError
from appliance.machine import clock
from appliance.web.errors import respond

COOKIE = "homeport_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEFORE_SETUP = ("/healthz", "/setup", "/static/", "/api/v1/setup")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Edge:
    """Knows who asks, refuses forged requests, and puts the safe headers on every answer."""

    def __init__(self, app: ASGIApp, ctx: Context) -> None:
        self._app = app
        self._ctx = ctx
        self._set_up = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = clock.new_id()[8:]
        state = scope.setdefault("state", {})
        state["request_id"], state["actor"] = request_id, nobody()
        state["ip"], state["secure"] = self._where_from(scope, headers)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                _put_headers(message, request_id)
            await send(message)

        try:
            state["actor"] = self._who(headers, state["ip"])
            self._refuse_forged(scope, headers)
            self._refuse_before_setup(scope["path"])
        except HomeportError as why:
            await respond(scope, why)(scope, receive, send_safely)
            return
        await self._app(scope, receive, send_safely)

    def _who(self, headers: Headers, ip: str | None) -> Actor:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            if token.startswith(keys.PREFIX):
                return keys.actor_of(self._ctx, token, ip=ip)
            return sessions.actor_of(self._ctx, token, door="api", ip=ip)
        cookies = cookie_parser(headers.get("cookie", ""))
        session = cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)
        return sessions.actor_of(self._ctx, session, door="browser", ip=ip) if session else nobody(ip)

    def _refuse_forged(self, scope: Scope, headers: Headers) -> None:
        """A browser says where a request comes from; another site's pages may not act here."""
        if scope["method"] in SAFE or headers.get("authorization", "").lower().startswith("bearer "):
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


def _put_headers(message: Message, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers["X-Request-Id"] = request_id
    headers.setdefault("Cache-Control", "no-store")
