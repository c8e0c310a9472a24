"""Sessions: a signed token that names a row; ending the row ends the session."""

from dataclasses import dataclass
from datetime import timedelta

import jwt

from appliance.access import passwords
from appliance.access.actor import Actor, nobody
from appliance.access.powers_of import powers_of
from appliance.access.record import record
from appliance.access.throttle import Throttle
from appliance.context import Context
from appliance.errors import NotSignedIn
from appliance.machine import clock
from appliance.model.people import Credentials, Person
from appliance.store import people

LASTS = timedelta(days=14)
THROTTLE = Throttle()


@dataclass(frozen=True)
class SignedIn:
    token: str
    expires_at: str
    person: Person


def sign_in(ctx: Context, given: Credentials, *, door: str, ip: str | None, agent: str = "") -> SignedIn:
    """Check the password and begin a session."""
    subjects = (f"account {given.email.lower()}", f"address {ip}")
    THROTTLE.check(ctx, *subjects)
    found = people.find_by_email(ctx.db.read(), given.email)
    person, stored = found if found else (None, passwords.NOBODY)
    if not passwords.matches(given.password, stored) or person is None:
        THROTTLE.failed(ctx, *subjects)
        raise NotSignedIn("The e-mail address or the password is wrong.", code="wrong_password")
    THROTTLE.worked(*subjects)
    return begin(ctx, person, door=door, ip=ip, agent=agent)


def begin(ctx: Context, person: Person, *, door: str, ip: str | None, agent: str = "") -> SignedIn:
    session, until = clock.new_id(), ctx.now() + LASTS
    with ctx.write() as db:
        people.add_session(db, session, person.id, at=ctx.moment(), until=clock.text(until), ip=ip, agent=agent[:200])
        actor = Actor("person", person.email, person.role, person.id, session, door, ip)
        record(ctx, db, actor, "session.begin", person.email)
    claims = {"sub": person.id, "sid": session, "exp": int(until.timestamp())}
    token = jwt.encode(claims, ctx.key("sessions"), algorithm="HS256")
    return SignedIn(token, clock.text(until), person)


def actor_of(ctx: Context, token: str, *, door: str, ip: str | None) -> Actor:
    """Who holds this token; nobody when it is wrong, over or revoked."""
    try:
        claims = jwt.decode(
            token, ctx.key("sessions"), algorithms=["HS256"], options={"require": ["sub", "sid", "exp"]}
        )
    except jwt.PyJWTError:
        return nobody(ip)
    person = people.session_person(ctx.db.read(), claims["sid"], ctx.moment())
    if person is None or person.id != claims["sub"]:
        return nobody(ip)
    held = powers_of(ctx.db.read(), person)
    return Actor("person", person.email, person.role, person.id, claims["sid"], door, ip, powers=held)


def sign_out(ctx: Context, actor: Actor) -> None:
    with ctx.write() as db:
        people.end_session(db, actor.session)
        record(ctx, db, actor, "session.end", actor.name)
