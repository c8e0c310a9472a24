"""Pages: a template, and what every page has around it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context as Scope
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from appliance import __version__
from appliance.access.actor import Actor
from appliance.access.permissions import SIGNED_IN, may, may_somewhere, powers
from appliance.errors import HomeportError
from appliance.model import amounts
from appliance.model.places import Place
from appliance.web import words
from appliance.web.changes import changes
from appliance.web.look import GOOD_ENOUGH, look
from appliance.web.routes import actor_of, ctx_of

Links = tuple[tuple[str, str], ...]  # what they are called, and where they lead
HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
NAV = (
    ("Projects", "/projects", SIGNED_IN),
    ("Deployments", "/deployments", "deployments.read"),
    ("URLs", "/urls", "urls.read"),
    ("Activity", "/activity", "activity.read"),
    ("Settings", "/settings", "settings.read"),
)
SETTINGS = (
    (
        "Host",
        (
            ("General", "/settings", "settings.read"),
            ("NGINX", "/settings/nginx", "settings.read"),
            ("DNS", "/settings/dns", "settings.read"),
            ("Certificates", "/settings/certificates", "settings.read"),
            ("Sign-in", "/settings/sign-in", "sign_in.update"),
            ("E-mail", "/settings/mail", "sign_in.update"),
            ("Notifications", "/settings/notifications", "notifications.read"),
            ("Backups", "/settings/backups", "backups.read"),
            ("Clean-up", "/settings/cleanup", "settings.read"),
            ("Log", "/settings/log", "settings.read"),
            ("File", "/settings/file", "settings.read"),
        ),
    ),
    ("People", (("People", "/settings/people", "people.read"), ("Teams", "/settings/teams", "teams.read"))),
    ("You", (("Keys", "/settings/keys", "keys.own"),)),
)
THEMES = frozenset({"light", "dark"})
DONE = {
    "signed-out": "Signed out",
    "password-changed": "Password changed",
    "session-ended": "Signed out there",
    "sessions-ended": "Signed out everywhere else",
    "factor-added": "Second factor added",
    "factor-removed": "Second factor removed",
    "saved": "Settings saved",
    "record-mended": "The record is being made again",
    "record-removed": "The record is being removed",
    "project-made": "Project created",
    "project-renamed": "Project renamed",
    "project-deleted": "Project deleted",
    "environment-made": "Environment created",
    "environment-changed": "Environment changed",
    "site-saved": "Saved; the next deployment answers like this",
    "guard-changed": "In force",
    "environment-deleted": "Environment deleted",
    "frozen": "Environment frozen",
    "thawed": "Environment thawed",
    "cleaned-up": "Cleaned up",
    "cancel-asked": "Asked it to stop",
    "approved": "Approved",
    "rejected": "Rejected",
    "variable-saved": "Variable saved",
    "variable-removed": "Variable removed",
    "variables-imported": "Variables imported",
    "url-added": "URL added",
    "url-changed": "URL changed",
    "url-checked": "Looking again",
    "looked-at-nginx": "Looked",
    "url-restored": "Being written anew",
    "url-adopted": "Kept as it is",
    "url-removed": "URL removed",
    "certificate-set": "Certificate set",
    "certificate-renewed": "Being renewed",
    "password-set": "Password set. Sign in with it",
    "identity-linked": "Account connected",
    "identity-unlinked": "Account disconnected",
    "provider-made": "Provider added",
    "provider-removed": "Provider removed",
    "key-revoked": "Key revoked",
    "channel-made": "Channel added",
    "channel-removed": "Channel removed",
    "sent-again": "On its way again",
    "person-changed": "Role changed",
    "person-removed": "Person removed",
    "left": "Your account is gone",
    "invitation-revoked": "Invitation revoked",
    "team-made": "Team created",
    "team-changed": "Team changed",
    "team-deleted": "Team deleted",
    "granted": "Granted",
    "withdrawn": "Withdrawn",
    "backup-asked": "Backup begun",
    "backup-deleted": "Backup deleted",
}

HEADINGS = {
    "not_found": "There is nothing at this address",
    "cross_site": "This came from another site",
    "error": "Something went wrong here",
}
NO_WAY_IN = {"not_set_up": "This host is not set up yet", "no_link": "This link does not work"}


@dataclass(frozen=True)
class Page:
    """What every page has around it."""

    path: str
    email: str | None
    host: str
    address: str  # how command lines reach this server
    theme: str
    done: str
    now: datetime
    seen: int  # how much had happened when the page was made
    nav: Links = ()
    settings: tuple[tuple[str, Links], ...] = ()  # by group, for those who may go there
    trouble: str | None = None  # what the checks come to; None when that is not known yet
    version: str = __version__

    @property
    def now_text(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Form:
    """What was typed, and what is wrong with it; shown again as it was."""

    raw: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()


class Somewhere(Protocol):
    """Whatever has a place: a project, an environment, a deployment, a URL."""

    @property
    def at(self) -> Place: ...


@dataclass(frozen=True)
class Asker:
    """What a page may offer: nothing that would be refused."""

    actor: Actor

    def may(self, permission: str, thing: Somewhere | None = None) -> bool:
        """There; without anything, everywhere."""
        return may(self.actor, permission, thing.at if thing is not None else None)

    def may_within(self, permission: str, project: Somewhere) -> bool:
        """In the project, or in any environment of it."""
        return may(self.actor, permission) or powers(self.actor).hold_within(permission, project.at.project_id)

    def may_somewhere(self, permission: str) -> bool:
        return may_somewhere(self.actor, permission)

    def those(self, permission: str, things: Sequence[Somewhere]) -> list[Somewhere]:
        """As many of them as it may be done to."""
        return [thing for thing in things if self.may(permission, thing)]

    @property
    def offers(self) -> dict[str, object]:
        """By the names that templates know."""
        return {
            "may": self.may,
            "may_within": self.may_within,
            "may_somewhere": self.may_somewhere,
            "those": self.those,
        }


def render(request: Request, template: str, code: int = 200, /, **values: Any) -> Response:
    """A whole page."""
    page, offers = _page(request), Asker(actor_of(request)).offers
    response = HTMLResponse(_templates().get_template(template).render(page=page, **offers, **values), code)
    if page.done:
        response.delete_cookie("done")
    return response


def error_page(request: Request, error: HomeportError) -> Response:
    """What went wrong, in the words of the error, and where to go from there."""
    if error.code in NO_WAY_IN:
        heading = NO_WAY_IN[error.code]
        detail = error.detail.removeprefix(f"{heading}. ")
        return render(request, "access/set-up-link.html", error.status, heading=heading, detail=detail)
    response = render(
        request,
        "errors/page.html",
        error.status,
        number=error.status,
        heading=HEADINGS.get(error.code, error.title),
        detail=error.detail if error.detail.rstrip(".") not in HEADINGS.values() else "",
        todo=error.todo,
        said=error.said,
        request_id=request.state.request_id if error.status == 500 else "",
        gone=error.status == 404,
    )
    response.headers.update(error.headers)
    return response


def go(where: str, *, done: str = "") -> Response:
    """On to another page after a form, with a word there about what was done."""
    response = RedirectResponse(where, 303)
    if done:
        response.set_cookie("done", done, max_age=60, httponly=True, samesite="lax")
    return response


def local(where: str, otherwise: str = "/projects") -> str:
    """A path of ours from a form field; anything that could lead elsewhere gives way to another."""
    inside = where.startswith("/") and not where.startswith(("//", "/\\")) and where.isprintable()
    return where if inside else otherwise


def asset(name: str) -> str:
    """The address of a static file, which changes when the file does."""
    return f"/static/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


def _page(request: Request) -> Page:
    ctx, actor = ctx_of(request), actor_of(request)
    address = ctx.settings.url.rstrip("/") or str(request.base_url).rstrip("/")
    theme = request.cookies.get("theme", "")
    return Page(
        path=request.url.path,
        email=actor.name if actor.signed_in else None,
        host=urlsplit(address).netloc,
        address=address,
        theme=theme if theme in THEMES else "",
        done=_done(request),
        now=ctx.now(),
        seen=changes(request).count,
        nav=_open(actor, NAV),
        settings=tuple((group, _open(actor, those)) for group, those in SETTINGS if _open(actor, those)),
        trouble=_trouble(request) if may(actor, "settings.read") else None,
    )


def _open(actor: Actor, those: tuple[tuple[str, str, str], ...]) -> Links:
    """Where somebody may go."""
    return tuple((name, href) for name, href, permission in those if may_somewhere(actor, permission))


def _done(request: Request) -> str:
    """Said once, on the page that follows a form; a page that only looks again does not take it away from there."""
    return "" if request.headers.get("hx-request") else DONE.get(request.cookies.get("done", ""), "")


def _trouble(request: Request) -> str | None:
    """Looked up now and then, never waited for."""
    found = look(request, fresh=GOOD_ENOUGH, patience=0)
    if found is None:
        return None
    if not found.failing:
        return ""
    return f"{amounts.how_many(found.failing, 'check')} {'fails' if found.failing == 1 else 'fail'}"


@cache
def _templates() -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals["asset"] = asset
    env.filters.update(
        ago=_ago,
        clock=_clock,
        when=_when,
        until=_until,
        day=_day,
        took=_took,
        stopwatch=_stopwatch,
        size=amounts.size,
        limit=words.limit,
        number=words.number,
        count=amounts.how_many,
        duration=words.duration,
        bare=words.bare,
        code_words=words.code_words,
        first_strong=words.first_strong,
        plain=words.plain,
        plain_lines=words.plain_lines,
    )
    return env


def _now(scope: Scope) -> datetime:
    page: Page = scope["page"]
    return page.now


@pass_context
def _ago(scope: Scope, moment: str) -> Markup:
    at = datetime.fromisoformat(moment)
    return words.time_element(words.since(at, _now(scope)), at, live=True)


@pass_context
def _when(scope: Scope, moment: str) -> Markup:
    at = datetime.fromisoformat(moment)
    return words.time_element(words.date(at, _now(scope)), at)


@pass_context
def _until(scope: Scope, moment: str) -> Markup:
    at = datetime.fromisoformat(moment)
    return words.time_element(words.until(at, _now(scope)), at)


@pass_context
def _day(scope: Scope, moment: str) -> str:
    return words.day(datetime.fromisoformat(moment), _now(scope))


@pass_context
def _took(scope: Scope, start: str | None, end: str | None) -> str:
    return words.duration(words.between(start, end or _now(scope))) if start else ""


@pass_context
def _stopwatch(scope: Scope, start: str | None, end: str | None) -> str:
    """What is over quickly is said in tenths; what runs keeps the form of a clock."""
    seconds = words.between(start, end or _now(scope)) if start else 0
    if not start:
        return ""
    return words.duration(seconds) if end and seconds < 9.95 else words.stopwatch(seconds)


def _clock(moment: str, form: str = "%H:%M:%S") -> Markup:
    at = datetime.fromisoformat(moment)
    return words.time_element(at.strftime(form), at)
