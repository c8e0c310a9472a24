"""Sessions: a signed token that names a row; ending the row ends the session."""

import hashlib
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import jwt

from appliance.access import passwords, refused
from appliance.access.actor import Actor, nobody
from appliance.access.powers_of import powers_of
from appliance.access.record import record
from appliance.access.throttle import Throttle
from appliance.context import Context
from appliance.errors import HalfWay, NotFound, NotSignedIn
from appliance.machine import clock
from appliance.model.people import Credentials, Person
from appliance.model.sessions import Session
from appliance.store import factors, people, sessions
from appliance.store.db import NotNow

LASTS = timedelta(days=14)
HALF_LASTS = timedelta(minutes=10)
SEEN_EVERY = 60  # seconds between two notes of when a session was last seen
WITHOUT_FACTOR = frozenset({"account.own"})  # what is left to whoever has to set one up first
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
        refused.sign_in_failed(ctx, person, door=door, ip=ip)
        raise NotSignedIn("The e-mail address or the password is wrong.", code="wrong_password")
    if not by_password(ctx, person):
        raise NotSignedIn(
            "Here people sign in through a provider, not by password.",
            code="no_password_sign_in",
            todo=("Use its button on the sign-in page.",),
        )
    done = come_in(ctx, person, door=door, ip=ip, agent=agent, by="password")
    THROTTLE.worked(ctx, *subjects)  # not before the second factor, which is guessed by whoever has the password
    return done


def come_in(
    ctx: Context, person: Person, *, door: str, ip: str | None, agent: str = "", by: str, strong: bool = False
) -> SignedIn:
    """A session for whoever has shown one thing, or half of one where a second factor is set: HalfWay tells of it."""
    found = factors.of_person(ctx.db.read(), person.id)
    if strong or not found.any:
        return begin(ctx, person, door=door, ip=ip, agent=agent, by=by, strong=strong)
    ticket = secrets.token_urlsafe(24)
    with ctx.write() as db:
        sessions.add_half(db, ticket_hash(ticket), person.id, at=ctx.moment(), until=clock.text(ctx.now() + HALF_LASTS))
    ways = ("code",) if found.totp_since else ()
    raise HalfWay(ticket, (*ways, *(("passkey",) if found.passkeys else ()), "recovery_code"))


def ticket_hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).hexdigest()


def by_password(ctx: Context, person: Person) -> bool:
    """Owners always may: a provider that is down locks nobody out for good."""
    return ctx.settings.password_sign_in or person.role == "owner"


def begin(
    ctx: Context,
    person: Person,
    *,
    door: str,
    ip: str | None,
    agent: str = "",
    by: str = "",
    strong: bool = False,
) -> SignedIn:
    """Whoever signs in has just shown who they are. `strong`: by more than a password."""
    now, until = ctx.moment(), clock.text(ctx.now() + LASTS)
    made = Session(clock.new_id(), person.id, now, until, ip, agent[:200], now, ip, now, strong)
    with ctx.write() as db:
        sessions.add(db, made)
        actor = Actor("person", person.email, person.role, person.id, made.id, door, ip)
        record(ctx, db, actor, "session.begin", person.email, **({"by": by} if by else {}))
    return signed(ctx, person, made.id, until)


def signed(ctx: Context, person: Person, session_id: str, until: str) -> SignedIn:
    claims = {"sub": person.id, "sid": session_id, "exp": int(clock.parse(until).timestamp())}
    return SignedIn(jwt.encode(claims, ctx.key("sessions"), algorithm="HS256"), until, person)


def actor_of(ctx: Context, token: str, *, door: str, ip: str | None) -> Actor:
    """Who holds this token; nobody when it is wrong, over or revoked."""
    try:
        claims = jwt.decode(
            token, ctx.key("sessions"), algorithms=["HS256"], options={"require": ["sub", "sid", "exp"]}
        )
    except jwt.PyJWTError:
        return nobody(ip)
    db = ctx.db.read()
    found = sessions.with_person(db, claims["sid"], ctx.moment())
    if found is None or found[1].id != claims["sub"]:
        return nobody(ip)
    session, person = found
    _note_seen(ctx, session, ip)
    held, lacks = powers_of(db, person), _lacks_factor(ctx, session)
    return Actor(
        "person",
        person.email,
        person.role,
        person.id,
        session.id,
        door,
        ip,
        powers=held.only(WITHOUT_FACTOR) if lacks else held,
        confirmed_at=session.confirmed_at,
        lacks_factor=lacks,
    )


def sign_out(ctx: Context, actor: Actor) -> None:
    with ctx.write() as db:
        sessions.end(db, actor.session)
        record(ctx, db, actor, "session.end", actor.name)


def own(ctx: Context, actor: Actor) -> tuple[Session, ...]:
    return sessions.of_person(ctx.db.read(), actor.person_id, ctx.moment())


def end(ctx: Context, actor: Actor, session_id: str) -> None:
    """One of one's own."""
    with ctx.write() as db:
        mine = {one.id: one for one in sessions.of_person(db, actor.person_id, ctx.moment())}
        if session_id not in mine:
            raise NotFound("There is no such session; it may have ended already.", code="no_session")
        sessions.end(db, session_id)
        record(ctx, db, actor, "session.revoke", mine[session_id].device)


def end_others(ctx: Context, actor: Actor) -> int:
    """Everywhere but here; says how many there were."""
    with ctx.write() as db:
        count = sessions.end_of_person(db, actor.person_id, but=actor.session)
        record(ctx, db, actor, "session.revoke_others", actor.name, sessions=count)
    return count


def _lacks_factor(ctx: Context, session: Session) -> bool:
    if ctx.settings.second_factor != "required" or session.strong:
        return False
    return not factors.of_person(ctx.db.read(), session.person_id).any


def _note_seen(ctx: Context, session: Session, ip: str | None) -> None:
    """Written by a thread of its own, at most once a minute a session: a request never waits for it."""
    since = (ctx.now() - clock.parse(session.seen_at)).total_seconds()
    if since >= SEEN_EVERY:
        threading.Thread(target=_write_seen, args=(ctx, session.id, ctx.moment(), ip), daemon=True).start()


def _write_seen(ctx: Context, session_id: str, at: str, ip: str | None) -> None:
    with suppress(NotNow), ctx.db.write() as db:
        sessions.seen(db, session_id, at, ip)
