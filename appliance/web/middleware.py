"""What happens to every request before a route sees it: an id, who is asking, from where."""

import asyncio
import threading
from contextlib import suppress
from os import urandom
from time import monotonic
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.access import keys, names, sessions, setup
from appliance.access.actor import Actor, nobody
from appliance.access.limits import Limits
from appliance.access.permissions import may
from appliance.context import Context
from appliance.errors import BadRequest, Forbidden, HomeportError, OtherHost
from appliance.store.db import NotNow
from appliance.web import cors, quotas
from appliance.web.errors import respond, wants_page
from appliance.web.headers import Header, with_safe_headers
from appliance.web.remembered import Memory

COOKIE = "homeport_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
MOST_COOKIES = 4
AT_ONCE = 8  # of what can be guessed at: the rest waits where it takes no thread, and sees what came of these
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
        self._names = Memory()
        self._noted: set[str] = set()
        self._limits = Limits()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        state = self._begin(scope)
        origin = cors.allowed(scope, headers, self._ctx.base)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = with_safe_headers(message["headers"], state["request_id"])
                message = {**message, "headers": ours + self._more(scope, origin)}
            await send(message)

        try:
            self._refuse_other_names(state)
            if origin and (answer := cors.preflight(scope, headers)):
                await answer(scope, receive, send_safely)
                return
            state["actor"] = self._who(headers, state)
            quotas.count(state, self._ctx.base, scope["path"])
            self._refuse_forged(scope, headers)
            self._refuse_before_setup(scope["path"])
        except OtherHost as why:
            await _plain(scope, why)(scope, receive, send_safely)
            return
        except HomeportError as why:
            await respond(scope, why)(scope, receive, send_safely)
            return
        await self._app(scope, receive, send_safely)

    def _begin(self, scope: Scope) -> dict[str, Any]:
        state: dict[str, Any] = scope.setdefault("state", {})
        state["ctx"], state["request_id"], state["actor"] = self._ctx, urandom(8).hex(), nobody()
        state["version"] = self._ctx.db.version()
        state["ip"] = scope["client"][0] if scope.get("client") else None
        state["secure"] = scope["scheme"] == "https"
        state["limits"], state["standings"], state["turns"] = self._limits, [], self._turns
        return state

    def _more(self, scope: Scope, origin: str) -> list[Header]:
        """What depends on who asks, and how."""
        state, settings = scope["state"], self._ctx.base
        more = quotas.told(state["standings"]) if state["standings"] else []
        if settings.hsts and state["secure"]:
            more.append((b"strict-transport-security", f"max-age={settings.hsts}".encode()))
        if settings.cors_origins and scope["path"].startswith(cors.API):
            more += cors.shares(origin)
        return more

    def _refuse_other_names(self, state: dict[str, Any]) -> None:
        """A name that isn't ours may be somebody's trick to have a browser take their page for ours."""
        known, host = self._names.at(state["version"]), state.get("host", "")[:256]
        if host not in known:
            known[host] = names.answers_by(self._ctx.settings, host)
        if not known[host]:
            url = self._ctx.settings.url
            raise OtherHost(
                "This appliance does not answer by the name that was asked for.",
                todo=(
                    *((f"Open {url} instead.",) if url else ()),
                    "Or have the name added to HOMEPORT_HOSTS." if url else "Have the name added to HOMEPORT_HOSTS.",
                ),
            )

    def _who(self, headers: Headers, state: dict[str, Any]) -> Actor:
        ip: str | None = state["ip"]
        shown = headers.get("authorization"), *headers.getlist("cookie"), state["secure"], ip
        if shown[0] is None and "cookie" not in headers:
            return nobody(ip)
        known, now = self._known.at(state["version"]), monotonic()
        found = known.get(shown)
        if isinstance(found, tuple) and found[1] >= now:
            remembered: Actor = found[0]
            return remembered
        actor = self._look_up(headers, state)
        if actor.signed_in:  # whoever is nobody can't fill the memory
            known[shown] = actor, now + BELIEVED
            self._note_name(actor, state.get("host", ""))
        return actor

    def _note_name(self, actor: Actor, host: str) -> None:
        """By a thread of its own, once: a request never waits for it."""
        new = host and host not in self._noted and host != "localhost" and not names.is_address(host)
        if new and actor.session and may(actor, "settings.update"):
            self._noted.add(host)
            threading.Thread(target=_write_name, args=(self._ctx, host), daemon=True).start()

    def _look_up(self, headers: Headers, state: dict[str, Any]) -> Actor:
        ip: str | None = state["ip"]
        if token := _bearer(headers):
            if token.startswith(keys.PREFIX):
                return keys.actor_of(self._ctx, token, ip=ip)
            return sessions.actor_of(self._ctx, token, door="api", ip=ip)
        found = {
            actor.session: actor
            for value in _cookies(headers, SECURE_COOKIE if state["secure"] else COOKIE)
            if (actor := sessions.actor_of(self._ctx, value, door="browser", ip=ip)).signed_in
        }
        if len(found) > 1:
            raise BadRequest(
                "The browser sent two sign-ins at once: a page of another host may have added one to yours.",
                code="two_sessions",
                todo=("Delete the cookies of this address and of the domain above it, then sign in again.",),
            )
        return found.popitem()[1] if found else nobody(ip)

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
            if origin is None or ((here := headers.get("host")) and origin.partition("://")[2] == here):
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


def _plain(scope: Scope, why: HomeportError) -> Response:
    """Nothing to click on, and nothing that the page would have to ask for by that name."""
    if not wants_page(scope):
        return respond(scope, why)
    return PlainTextResponse("\n".join((f"{why.title}.", why.detail, *why.todo, "")), why.status)


def _bearer(headers: Headers) -> str:
    """A token that the caller sent on purpose; a browser never does that by itself."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _cookies(headers: Headers, name: str) -> list[str]:
    """Every cookie of that name: a page on a host beside ours can set one more."""
    lines = ";".join(headers.getlist("cookie")).split(";")
    pairs = (line.strip().partition("=") for line in lines)
    return list(dict.fromkeys(value for key, _, value in pairs if key == name and value))[:MOST_COOKIES]


def _write_name(ctx: Context, host: str) -> None:
    with suppress(NotNow):
        names.note(ctx, host)
