"""The first account, by a link that works once."""

import hashlib
import secrets
from datetime import timedelta

from appliance.access import passwords, sessions
from appliance.access.actor import Actor
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, NotFound
from appliance.machine import clock, files
from appliance.model.people import NewPerson, Person, SetUp
from appliance.store import invitations, people

LASTS = timedelta(minutes=30)


def needed(ctx: Context) -> bool:
    return not people.anyone(ctx.db.read())


def make_link(ctx: Context, address: str) -> str:
    """A new link; the one before stops working. Also kept in a file that only this user can read."""
    if not needed(ctx):
        raise Conflict("This host is set up already. Sign in, or add a person with `homeport user add`.", code="set_up")
    token = secrets.token_urlsafe(24)
    with ctx.db.write() as db:
        people.add_setup_link(db, _hash(token), clock.text(ctx.now() + LASTS))
    link = f"{address}/setup?token={token}"
    files.write_whole(ctx.data / "setup-link", f"{link}\n", mode=0o600)
    return link


def minutes_left(ctx: Context, token: str) -> int:
    """For how long the link still works; raises NotFound where it doesn't."""
    until = people.setup_link(ctx.db.read(), _hash(token)) if token and needed(ctx) else None
    if until is None or until <= ctx.moment():
        raise NotFound(
            "This set-up link does not work (any more). On the host, `homeport setup-link` makes a new one.",
            code="no_link",
        )
    return max(1, round((clock.parse(until) - ctx.now()).total_seconds() / 60))


def set_up(ctx: Context, given: SetUp, *, door: str, ip: str | None, agent: str = "") -> sessions.SignedIn:
    """Make the owner, exactly one however many ask at once."""
    minutes_left(ctx, given.token)
    hashed = passwords.hashed(given.password)
    with ctx.write() as db:
        until = people.setup_link(db, _hash(given.token))
        if people.anyone(db) or until is None or until <= ctx.moment():
            raise NotFound("This set-up link was used already. Sign in instead.", code="no_link")
        person = Person(clock.new_id(), given.email, "owner", ctx.moment())
        people.add(db, person, hashed)
        people.forget_setup_links(db)
        record(ctx, db, Actor("person", person.email, "owner", person.id, "", door, ip), "setup.finish", person.email)
    (ctx.data / "setup-link").unlink(missing_ok=True)
    return sessions.begin(ctx, person, door=door, ip=ip, agent=agent)


def add_person(ctx: Context, actor: Actor, new: NewPerson) -> Person:
    """Someone more who may come in."""
    hashed = passwords.hashed(new.password)
    with ctx.write() as db:
        if people.find_by_email(db, new.email):
            raise Conflict(f"{new.email} is here already. Set a new password with `homeport user reset-password`.")
        if new.role != "owner" and not people.anyone(db):
            raise Conflict("The first person here has to be an owner.", code="no_owner")
        person = Person(clock.new_id(), new.email, new.role, ctx.moment())
        people.add(db, person, hashed)
        people.forget_setup_links(db)
        invitations.forget_for(db, new.email)
        record(ctx, db, actor, "person.create", person.email, role=person.role)
    (ctx.data / "setup-link").unlink(missing_ok=True)
    return person


def reset_password(ctx: Context, actor: Actor, new: NewPerson) -> Person:
    """A new password ends every session of that person; keys keep working."""
    hashed = passwords.hashed(new.password)
    with ctx.write() as db:
        found = people.find_by_email(db, new.email)
        if found is None:
            raise NotFound(f"Nobody here has the address {new.email}. `homeport user list` shows who is here.")
        person = found[0]
        people.set_password(db, person.id, hashed)
        people.end_sessions(db, person.id)
        record(ctx, db, actor, "person.reset_password", person.email)
    sessions.THROTTLE.worked(ctx, f"account {person.email.lower()}")
    return person


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
