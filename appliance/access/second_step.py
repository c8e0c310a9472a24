"""From half a session to a whole one, from nothing to one by a passkey alone, and confirming who is there."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.access import passkeys, passwords, recovery, refused, sessions, totp
from appliance.access.actor import Actor
from appliance.access.confirmed import need_own_session
from appliance.access.record import record
from appliance.access.sessions import SignedIn, ticket_hash
from appliance.access.throttle import Throttle
from appliance.context import Context
from appliance.errors import BadRequest, NotSignedIn
from appliance.machine import clock
from appliance.machine.webauthn import Party
from appliance.model.factors import PasswordChange, Proof, SecondStep
from appliance.model.people import Person
from appliance.store import factors, people
from appliance.store import sessions as kept
from appliance.store.db import Connection

THROTTLE = Throttle()
SIGN_IN, SECOND, CONFIRM = "sign in", "second", "confirm"


@dataclass(frozen=True)
class Waiting:
    """Whoever is halfway, and what they can go on with."""

    email: str
    code: bool
    passkey: bool


def waiting(ctx: Context, ticket: str) -> Waiting:
    person = _whose(ctx, ctx.db.read(), ticket)
    found = factors.of_person(ctx.db.read(), person.id)
    return Waiting(person.email, found.totp_since is not None, bool(found.passkeys))


def options(ctx: Context, ticket: str, party: Party) -> dict[str, object]:
    person = _whose(ctx, ctx.db.read(), ticket)
    return passkeys.request_options(ctx, party, SECOND, person.id)


def finish(ctx: Context, given: SecondStep, party: Party, *, door: str, ip: str | None, agent: str = "") -> SignedIn:
    """A right code, recovery code or passkey makes it a whole session, under a name that nobody saw before."""
    person = _whose(ctx, ctx.db.read(), given.ticket)
    subjects = _subjects(person.id, ip)
    if given.code is not None:
        THROTTLE.check(ctx, *subjects)
    try:
        with ctx.write() as db:
            _whose(ctx, db, given.ticket)
            by = _by_factor(ctx, db, person.id, given, party=party, purpose=SECOND)
            if by:
                kept.end_half(db, ticket_hash(given.ticket))
    except BadRequest:
        refused.sign_in_failed(ctx, person, door=door, ip=ip, by="passkey")
        raise
    if not by:
        THROTTLE.failed(ctx, *subjects)
        refused.sign_in_failed(ctx, person, door=door, ip=ip, by="code")
        raise _wrong_code()
    THROTTLE.worked(ctx, *subjects)
    sessions.THROTTLE.worked(ctx, f"account {person.email.lower()}", f"address {ip}")
    return sessions.begin(ctx, person, door=door, ip=ip, agent=agent, by=f"password and {by}", strong=True)


def cancel(ctx: Context, ticket: str) -> None:
    with ctx.write() as db:
        kept.end_half(db, ticket_hash(ticket))


def by_passkey(
    ctx: Context, credential: Mapping[str, object], party: Party, *, door: str, ip: str | None, agent: str = ""
) -> SignedIn:
    """One that asked who is there stands for password and second factor alike."""
    try:
        with ctx.write() as db:
            person = people.find(db, passkeys.shown(ctx, db, party, credential, purpose=SIGN_IN))
    except BadRequest:
        refused.sign_in_failed(ctx, None, door=door, ip=ip, by="passkey")
        raise
    if person is None:
        raise NotSignedIn("This account is gone.", code="wrong_password")
    return sessions.begin(ctx, person, door=door, ip=ip, agent=agent, by="passkey", strong=True)


def confirm(ctx: Context, actor: Actor, proof: Proof, party: Party) -> SignedIn | None:
    """That it is still the same person. A browser's session gets a new name with it, which is what comes back."""
    need_own_session(actor)
    subjects = _subjects(actor.person_id, actor.ip)
    if proof.credential is None:
        THROTTLE.check(ctx, *subjects)
    found = people.find_by_email(ctx.db.read(), actor.name)
    right = proof.password is not None and passwords.matches(proof.password, found[1] if found else passwords.NOBODY)
    by, renewed = "password" if right else "", None
    try:
        with ctx.write() as db:
            if not right and (proof.code or proof.credential):
                by = _by_factor(ctx, db, actor.person_id, proof, party=party, purpose=CONFIRM)
            if by:
                renewed = _confirmed(ctx, db, actor, strong=by != "password")
                record(ctx, db, actor, "session.confirm", actor.name, by=by)
    except BadRequest:
        refused.not_confirmed(ctx, actor)
        raise
    if not by:
        THROTTLE.failed(ctx, *subjects)
        refused.not_confirmed(ctx, actor)
        raise NotSignedIn("This is not right, so nothing was confirmed.", code="wrong_password")
    THROTTLE.worked(ctx, *subjects)
    return renewed


def change_password(ctx: Context, actor: Actor, given: PasswordChange) -> SignedIn | None:
    """Every other session ends; a browser's own gets a new name."""
    need_own_session(actor)
    subjects = _subjects(actor.person_id, actor.ip)
    THROTTLE.check(ctx, *subjects)
    found = people.find_by_email(ctx.db.read(), actor.name)
    if not passwords.matches(given.old, found[1] if found else passwords.NOBODY):
        THROTTLE.failed(ctx, *subjects)
        refused.not_confirmed(ctx, actor)
        raise NotSignedIn("The password so far is another one, so nothing was changed.", code="wrong_password")
    hashed = passwords.hashed(given.password)
    with ctx.write() as db:
        people.set_password(db, actor.person_id, hashed)
        count = kept.end_of_person(db, actor.person_id, but=actor.session)
        renewed = _confirmed(ctx, db, actor, strong=False)
        record(ctx, db, actor, "person.change_password", actor.name, sessions=count)
    THROTTLE.worked(ctx, *subjects)
    return renewed


def reset_factors(ctx: Context, actor: Actor, email: str) -> Person:
    """For whoever lost them all: on the host, by whoever keeps it."""
    with ctx.write() as db:
        found = people.find_by_email(db, email)
        if found is None:
            raise BadRequest(f"Nobody here has the address {email}.", todo=("`homeport user list` shows who is here.",))
        factors.forget_all(db, found[0].id)
        kept.end_of_person(db, found[0].id)
        record(ctx, db, actor, "person.reset_factors", found[0].email)
    return found[0]


def _by_factor(
    ctx: Context, db: Connection, person_id: str, given: SecondStep | Proof, *, party: Party, purpose: str
) -> str:
    """What it was that was right; nothing when it wasn't."""
    if given.credential:
        passkeys.shown(ctx, db, party, given.credential, purpose=purpose, person_id=person_id)
        return "passkey"
    app = factors.totp(db, person_id)
    if app is not None and app.on_since is not None and totp.works(ctx, db, app, given.code or ""):
        return "code"
    return "recovery code" if recovery.works(db, person_id, given.code or "") else ""


def _confirmed(ctx: Context, db: Connection, actor: Actor, *, strong: bool) -> SignedIn | None:
    """A program keeps its token: nobody can have slipped it one, and it would not know where to put another."""
    found = kept.with_person(db, actor.session, ctx.moment())
    if found is None:
        raise NotSignedIn("This session is over. Sign in again.")
    session, person = found
    kept.confirm(db, session.id, ctx.moment(), strong=strong)
    if actor.door != "browser":
        return None
    kept.rename(db, session.id, renamed := clock.new_id())
    return sessions.signed(ctx, person, renamed, session.expires_at)


def _whose(ctx: Context, db: Connection, ticket: str) -> Person:
    person_id = kept.half(db, ticket_hash(ticket), ctx.moment())
    person = people.find(db, person_id) if person_id else None
    if person is None:
        raise NotSignedIn("Signing in took too long, or was finished already. Begin again.", code="no_ticket")
    return person


def _subjects(person_id: str, ip: str | None) -> tuple[str, str]:
    return f"second {person_id}", f"address {ip}"


def _wrong_code() -> NotSignedIn:
    return NotSignedIn("This code is not right, or was used before.", code="wrong_code")
