"""A forgotten password: a link by e-mail to whoever's address it is, that works once and for an hour."""

import hashlib
import secrets
from datetime import timedelta

from appliance.access import mail, passwords, sessions
from appliance.access.actor import HOMEPORT, Actor
from appliance.access.address import own_address
from appliance.access.limits import neighbours
from appliance.access.record import record
from appliance.access.throttle import Throttle
from appliance.context import Context
from appliance.errors import Conflict, NotFound
from appliance.events import JobAdded
from appliance.machine import clock
from appliance.model.people import Forgotten, Person, Reset
from appliance.store import jobs, password_links, people
from appliance.store.db import Connection

KIND = "password.forgotten"
LASTS = timedelta(hours=1)
THROTTLE = Throttle()


def ask(ctx: Context, given: Forgotten, *, ip: str | None) -> None:
    """The same work for every address: whether it is somebody's is looked up by a job, when nobody waits."""
    if not mail.is_set(ctx.settings):
        raise Conflict(
            "This Homeport sends no e-mail.",
            code="no_mail",
            todo=("Ask whoever keeps its host to run `homeport user reset-password` there.",),
        )
    subjects = (f"forgotten {given.email.lower()}", f"forgotten-from {neighbours(ip)}")
    THROTTLE.check(ctx, *subjects)
    THROTTLE.failed(ctx, *subjects)
    with ctx.write(JobAdded()) as db:
        jobs.add(db, KIND, given.email, queue="forgotten", at=ctx.moment())


def send_link(ctx: Context, email: str, _: int) -> None:
    """The job. Its subject is what somebody typed."""
    found = people.find_by_email(ctx.db.read(), email)
    if found is None or not sessions.by_password(ctx, found[0]):
        return
    person, token = found[0], secrets.token_urlsafe(24)
    link = f"{own_address(ctx)}/reset?token={token}"
    with ctx.write(JobAdded()) as db:
        until = clock.text(ctx.now() + LASTS)
        password_links.add(db, _hash(token), person.id, until=until, now=ctx.moment())
        mail.post(ctx, db, person.email, "A new password for Homeport", _TEXT.format(link=link, email=person.email))
        record(ctx, db, HOMEPORT, "person.forgot_password", person.email)


def whose(ctx: Context, token: str) -> Person:
    """Whom a link is for; NotFound where it doesn't work."""
    return _whose(ctx, ctx.db.read(), token)


def reset(ctx: Context, given: Reset, *, door: str, ip: str | None) -> Person:
    """The new password ends every session and every other link; a second factor is still asked for."""
    whose(ctx, given.token)
    hashed = passwords.hashed(given.password)
    with ctx.write() as db:
        person = _whose(ctx, db, given.token)
        password_links.forget(db, person.id)
        people.set_password(db, person.id, hashed)
        people.end_sessions(db, person.id)
        actor = Actor("person", person.email, person.role, person.id, "", door, ip)
        record(ctx, db, actor, "person.reset_password", person.email)
    sessions.THROTTLE.worked(ctx, f"account {person.email.lower()}")
    return person


def _whose(ctx: Context, db: Connection, token: str) -> Person:
    person_id = password_links.person(db, _hash(token), ctx.moment())
    person = people.find(db, person_id) if person_id else None
    if person is None:
        raise NotFound(
            "This link does not work any more: it works once, for an hour.",
            code="no_password_link",
            todo=("Ask for another on the sign-in page.",),
        )
    return person


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


_TEXT = """\
Somebody, probably you, asked for a new password for {email}.

Choose it here, within an hour:

  {link}

The link works once. If it wasn't you, do nothing: your password stays as it is.
"""
