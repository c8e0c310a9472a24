"""Activity: each record as a sentence."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import chain
from appliance.context import Context
from appliance.errors import Invalid
from appliance.model.activity import Activity, Wanted
from appliance.settings import ABOUT
from appliance.store import activity, deployments
from appliance.ui.lists import Pages, project_asked
from appliance.ui.places import Choices, choices, known_in
from appliance.web import words
from appliance.web.page import render
from appliance.web.routes import ctx_of, sight_of

# What was done, after who did it. {place}, {project} and {number} become links where they still lead somewhere.
SENTENCES = {
    "setup.finish": "set this host up",
    "session.begin": "signed in",
    "session.end": "signed out",
    "person.create": "added {subject}",
    "person.invite": "invited {subject} as {role}",
    "person.invite_again": "made a new invitation link for {subject}",
    "person.uninvite": "revoked the invitation of {subject}",
    "person.ask": "sent {subject} a link to join by, as was asked for",
    "person.join": "came in as {subject}, with the role {role}",
    "person.update": "gave {subject} the role {now}, after {was}",
    "person.remove": "removed {subject}",
    "team.create": "created the team {subject}",
    "team.rename": "renamed the team {was} to {subject}",
    "team.delete": "deleted the team {subject}",
    "team.add": "added {person} to the team {subject}",
    "team.remove": "took {person} out of the team {subject}",
    "grant.put": "granted {subject} the role {now} in {place}",
    "grant.remove": "withdrew the role {was} in {place} from {subject}",
    "session.revoke": "ended a session elsewhere: {subject}",
    "session.revoke_others": "ended all their other sessions",
    "session.confirm": "confirmed that it is them, by {by}",
    "factor.add": "added the second factor {subject}",
    "factor.remove": "removed the second factor {subject}",
    "factor.recovery_codes": "made new recovery codes",
    "person.change_password": "changed their password",
    "person.reset_factors": "took the second factors of {subject} away",
    "login.allow": "let {subject} sign in from a terminal",
    "login.deny": "refused {subject} a sign-in from a terminal",
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
    "deployment.redeploy": "deployed #{origin} of {place} once more, with new variables, as {number}",
    "deployment.cancel": "asked to cancel {number} in {place}",
    "deployment.cancelled": "cancelled {number} in {place}",
    "deployment.live": "made {number} live in {place}",
    "deployment.approve": "approved {number} for {place}. {reason}",
    "deployment.reject": "rejected {number} for {place}. {reason}",
    "deployment.expire": "ended {number} in {place}, which nobody approved in time",
    "environment.approval": "changed whether a second person is asked for in {place} from {was} to {to}",
    "deployment.failed": "saw {number} fail in {place}. {why}",
    "variable.set": "set the variable {subject} of {place}",
    "variable.remove": "removed the variable {subject} of {place}",
    "url.create": "added the URL {host} to {place}",
    "url.active": "put the URL {subject} in force",
    "url.failed": "could not put the URL {subject} in force",
    "url.update": "changed what the URL {host} of {place} is set to",
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
    "person.forgot_password": "was asked for a link to a new password for {subject}, and sent it",
    "certificate.set": "said where the certificate of {subject} comes from: {tls}",
    "certificate.remove": "took the certificate of {subject} away",
    "certificate.renew": "had the certificate of {subject} renewed",
    "certificate.issued": "got a certificate for {subject}",
    "certificate.renewed": "renewed the certificate of {subject}",
    "certificate.failed": "could not get a certificate for {subject}. {why}",
    "certificate.ending": "saw that the certificate of {subject} ends at {expires}, and that nobody here can renew it",
    "dns.remove": "had the DNS record of {subject} removed, which nothing used any more",
    "notification.create": "lets {subject} be told, by {kind}",
    "notification.update": "changed the notifications to {subject}: {what}",
    "notification.delete": "removed the notifications to {subject}",
    "notification.exchange_key": "made another key to sign with for {subject}",
    "notification.test": "sent a test to {subject}",
    "notification.redeliver": "sent “{about}” to {subject} again",
    "notification.failed": "could not tell {subject} of “{about}”. {why}",
    "provider.create": "let people sign in through {subject}",
    "provider.update": "changed the provider {subject}: {what}",
    "provider.delete": "removed the provider {subject}",
    "identity.link": "connected {address} at {subject}",
    "identity.unlink": "disconnected {address} at {subject}",
    "session.refused": "came with {address} from {subject}, which nobody here has connected",
    "mail.sent": "sent “{about}” to {subject}",
    "mail.failed": "could not send “{about}” to {subject}. {why}",
    "secret.rotate": "exchanged the key that everything secret is sealed with",
    "secret.begin_anew": "began with a new key, as the one before was lost",
    "backup.download": "downloaded the backup {subject}",
    "access.refused": "was refused {subject}",
    "session.failed": "could not sign in as {subject}",
    "session.unconfirmed": "could not confirm that it is {subject}",
    "activity.cut": "found the record of activity cut off or exchanged. {why}",
    "activity.restored": "took over the record up to {subject}",
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
    "deployment.redeploy": "{actor} put new variables live",
    "variable.set": "{actor} set {subject}",
    "variable.remove": "{actor} removed {subject}",
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
    ("variable", "Variables"),
    ("url", "URLs"),
    ("certificate", "Certificates"),
    ("releases", "Clean-ups"),
    ("backup", "Backups"),
    ("settings", "Settings"),
    ("person", "People"),
    ("team", "Teams"),
    ("grant", "Grants"),
    ("key", "Keys"),
    ("session", "Sign-ins"),
    ("access", "Refusals"),
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
    """What the list is narrowed to, and what it could be narrowed to."""

    wanted: Wanted
    people: tuple[str, ...]
    choices: Choices
    kinds: tuple[tuple[str, str], ...] = KINDS

    @property
    def any(self) -> bool:
        return self.wanted.any

    @property
    def since(self) -> str:
        return self.wanted.since[:10]

    @property
    def until(self) -> str:
        """The last day that is meant, as it was entered."""
        if not self.wanted.until:
            return ""
        return (datetime.fromisoformat(self.wanted.until) - timedelta(milliseconds=1)).date().isoformat()

    @property
    def export(self) -> str:
        """The same entries as a file."""
        asked = {name: text for name, text in asdict(self.wanted).items() if text}
        return f"/api/v1/activity/export?{urlencode(asked)}" if asked else "/api/v1/activity/export"


def index(request: Request) -> Response:
    ctx, pages, seen = ctx_of(request), Pages(request), sight_of(request, "activity.read")
    found = choices(ctx, seen)
    wanted = _wanted(request, ctx, found)
    page = activity.newest(
        ctx.db.read(),
        wanted,
        cursor=int(pages.cursor) if pages.cursor and pages.cursor.isdecimal() else None,
        limit=pages.limit,
        sight=seen,
    )
    return render(
        request,
        "activity/list.html",
        days=_by_day(_entries(ctx, page.items), ctx.now()),
        filters=Filters(wanted, activity.actors(ctx.db.read(), seen), found),
        shown=len(page.items),
        total=activity.count(ctx.db.read()) if seen is None else None,
        **pages.links(page.next),
    )


def verify(request: Request) -> Response:
    """Reads all of it."""
    return render(request, "activity/verified.html", found=chain.verify(ctx_of(request)))


def _wanted(request: Request, ctx: Context, found: Choices) -> Wanted:
    """What can't be is not asked for."""
    asked = request.query_params
    given = {name: asked[name] for name in ("q", "environment", "person", "key", "since", "until") if name in asked}
    given |= {"actor": asked.get("who", ""), "verb": asked.get("what", "")}
    given["project"] = project_asked(ctx, request, found)
    try:
        return Wanted.parse(given)
    except Invalid as why:
        return Wanted.parse({name: text for name, text in given.items() if name not in why.errors})


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
        **dict.fromkeys(("was", "to", "now", "why", "origin", "host", "role", "person", "by"), ""),
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
