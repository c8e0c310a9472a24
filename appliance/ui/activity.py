"""Activity: each record as a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from appliance.context import Context
from appliance.model.activity import Activity
from appliance.settings import ABOUT
from appliance.store import activity, deployments
from appliance.ui.lists import Pages, project_asked
from appliance.ui.places import Choices, choices, known_in
from appliance.web import words
from appliance.web.page import render
from appliance.web.routes import ctx_of

# What was done, after who did it. {place}, {project} and {number} become links where they still lead somewhere.
SENTENCES = {
    "setup.finish": "set this host up",
    "session.begin": "signed in",
    "session.end": "signed out",
    "person.create": "added {subject}",
    "person.reset_password": "set a new password for {subject}",
    "key.create": "made the key {subject}",
    "key.revoke": "revoked the key {subject}",
    "project.create": "created {project}",
    "project.rename": "renamed {was} to {project}",
    "project.delete": "deleted the project {subject}",
    "environment.create": "created {place}",
    "environment.rename": "renamed {project} {subject} to {to}",
    "environment.backend": "moved {place} from {was} to {to}",
    "environment.delete": "deleted the environment {subject} of {project}",
    "environment.freeze": "froze {place}: {message}",
    "environment.thaw": "thawed {place}",
    "environment.site": "changed how {place} answers, from its next deployment on",
    "environment.guarded": "set a password on {place}",
    "environment.unguarded": "took the password of {place} away",
    "environment.down": "put the maintenance page before {place}",
    "environment.up": "took the maintenance page of {place} away",
    "deployment.create": "started {number} in {place}",
    "deployment.rollback": "began to roll {place} back to #{origin}, with {number}",
    "deployment.promote": "began to promote #{origin} to {place}, with {number}",
    "deployment.cancel": "asked to cancel {number} in {place}",
    "deployment.cancelled": "cancelled {number} in {place}",
    "deployment.live": "made {number} live in {place}",
    "deployment.failed": "saw {number} fail in {place}. {why}",
    "url.create": "added the URL {host} to {place}",
    "url.active": "put the URL {subject} in force",
    "url.failed": "could not put the URL {subject} in force",
    "url.delete": "removed the URL {host} from {place}",
    "url.edited": "saw that the NGINX file of {subject} was edited by hand",
    "url.restore": "had the NGINX file of {subject} written anew",
    "url.adopt": "kept the NGINX file of {subject} as it was edited",
    "url.left_behind": "could not take {subject} out of force. {why}",
    "domain.active": "had NGINX show deployments under {subject}",
    "domain.gone": "had NGINX show no deployments under {subject} any more",
    "homeport.upgrade": "went from version {was} to {subject}",
    "homeport.upgrade_failed": "could not go from version {was} to {subject}. {why}",
    "releases.cleanup": "cleaned up: {subject}",
    "backup.create": "began the backup {subject}",
    "backup.succeeded": "took the backup {subject}",
    "backup.failed": "could not take the backup {subject}. {why}",
    "backup.delete": "deleted the backup {subject}",
    "settings.change": "changed the setting {setting} from {was} to {now}",
}
# The same for a list of projects, where the project is said already.
SHORT = {
    "project.create": "{actor} created it",
    "project.rename": "{actor} renamed it",
    "environment.create": "{actor} created {subject}",
    "environment.rename": "{actor} renamed {subject}",
    "environment.delete": "{actor} deleted {subject}",
    "environment.freeze": "{actor} froze {subject}",
    "environment.thaw": "{actor} thawed {subject}",
    "environment.site": "{actor} changed how {subject} answers",
    "environment.guarded": "{actor} set a password on {subject}",
    "environment.unguarded": "{actor} took a password away",
    "environment.down": "{actor} put a maintenance page before {subject}",
    "environment.up": "{actor} took the maintenance page away",
    "deployment.create": "{actor} started {subject}",
    "deployment.rollback": "{actor} rolled back",
    "deployment.promote": "{actor} promoted",
    "deployment.cancel": "{actor} cancelled {subject}",
    "deployment.cancelled": "{subject} was cancelled",
    "deployment.live": "{subject} went live",
    "deployment.failed": "{subject} failed",
    "url.create": "{actor} added a URL",
    "url.active": "{subject} is active",
    "url.failed": "{subject} failed",
    "url.delete": "{actor} removed a URL",
}
DOORS = {"browser": "Browser", "api": "API", "host": "This host", "job": "Job"}
KINDS = (
    ("deployment", "Deployments"),
    ("project", "Projects"),
    ("environment", "Environments"),
    ("url", "URLs"),
    ("releases", "Clean-ups"),
    ("backup", "Backups"),
    ("settings", "Settings"),
    ("key", "Keys"),
    ("session", "Sign-ins"),
)


@dataclass(frozen=True)
class Entry:
    """One record, in words."""

    id: int
    at: str
    actor: str
    actor_kind: str
    words: Markup | str
    door: str


@dataclass(frozen=True)
class Filters:
    q: str
    who: str
    project: str
    what: str
    people: tuple[str, ...]
    choices: Choices
    kinds: tuple[tuple[str, str], ...] = KINDS

    @property
    def any(self) -> bool:
        return bool(self.q or self.who or self.project or self.what)


def index(request: Request) -> Response:
    ctx, asked, pages = ctx_of(request), request.query_params, Pages(request)
    found = choices(ctx)
    chosen = Filters(
        q=asked.get("q", "").strip(),
        who=asked.get("who", ""),
        project=project_asked(ctx, request, found),
        what=asked.get("what", ""),
        people=activity.actors(ctx.db.read()),
        choices=found,
    )
    page = activity.newest(
        ctx.db.read(),
        q=chosen.q,
        actor=chosen.who or None,
        project=chosen.project or None,
        what=chosen.what or None,
        cursor=int(pages.cursor) if pages.cursor and pages.cursor.isdecimal() else None,
        limit=pages.limit,
    )
    return render(
        request,
        "activity/list.html",
        days=_by_day(_entries(ctx, page.items), ctx.now()),
        filters=chosen,
        shown=len(page.items),
        total=activity.count(ctx.db.read()),
        **pages.links(page.next),
    )


def short(one: Activity) -> Entry:
    """For a list of projects."""
    sentence = SHORT.get(one.verb, "{actor} changed it")
    return _entry(one, sentence.format(actor=one.actor, subject=one.subject))


def _entries(ctx: Context, those: tuple[Activity, ...]) -> list[Entry]:
    places = known_in(ctx, tuple({one.project for one in those if one.project}))
    known = deployments.several(ctx.db.read(), [one.deployment for one in those if one.deployment])
    return [_entry(one, _words(one, places, frozenset(known))) for one in those]


def _entry(one: Activity, said: Markup | str) -> Entry:
    door = DOORS.get(one.door, one.door)
    return Entry(one.id, one.at, one.actor, one.actor_kind, said, f"{door}, {one.ip}" if one.ip else door)


def _words(one: Activity, places: dict[str, frozenset[str]], known: frozenset[str]) -> Markup:
    project, environment = one.project or "", one.environment or ""
    there = environment in places.get(project, ())
    parts: dict[str, object] = {
        **dict.fromkeys(("was", "to", "now", "why", "origin", "host"), ""),
        **one.data,
        "subject": one.subject,
        "setting": ABOUT[one.subject].env if one.subject in ABOUT else one.subject,
        "project": _link(project, f"/projects/{project}" if project in places else ""),
        "place": _link(
            f"{project} {environment}".strip(), f"/projects/{project}/environments/{environment}" if there else ""
        ),
        "number": _link(one.subject, f"/deployments/{one.deployment}" if one.deployment in known else ""),
    }
    sentence = Markup(SENTENCES.get(one.verb, "did {verb}: {subject}"))  # noqa: S704 - the words above
    return sentence.format(verb=one.verb, **parts)


def _link(text: str, where: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(where, text) if where else Markup("{}").format(text)


def _by_day(entries: Iterable[Entry], now: datetime) -> list[tuple[str, list[Entry]]]:
    days = groupby(entries, key=lambda one: one.at[:10])
    return [(words.day(datetime.fromisoformat(f"{day}T12:00:00Z"), now), list(those)) for day, those in days]
