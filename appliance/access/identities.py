"""Accounts elsewhere that people come in with: connected by themselves alone, and disconnected."""

from appliance.access import passwords, sessions
from appliance.access.actor import Actor
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, Forbidden, NotFound
from appliance.machine import clock
from appliance.machine.oauth import Who
from appliance.model.identities import Identity
from appliance.model.people import Person
from appliance.model.providers import Provider
from appliance.store import identities, people
from appliance.store.db import Connection


def link(ctx: Context, db: Connection, actor: Actor, one: Provider, who: Who, *, person_id: str) -> Identity:
    """In the transaction of what it is about. An account elsewhere belongs to one person here."""
    there = identities.find(db, one.id, who.subject)
    if there is not None and there.person_id != person_id:
        raise Conflict(
            f"This account at {one.name} is connected with somebody else here.",
            code="identity_taken",
            todo=("Sign in with it, or use another account there.",),
        )
    if there is not None:
        return there
    made = Identity(clock.new_id(), one.id, one.name, who.subject, person_id, who.email, ctx.moment(), None)
    identities.add(db, made)
    record(ctx, db, actor, "identity.link", one.name, address=who.email)
    return made


def unlink(ctx: Context, actor: Actor, identity_id: str) -> None:
    """Not the last way in: nobody locks themselves out by one press. A key is no way in, and closes none."""
    if not actor.session:
        raise Forbidden("An account is disconnected by whoever is signed in, not by a key.", code="no_session")
    with ctx.write() as db:
        mine = identities.of_person(db, actor.person_id)
        was = next((one for one in mine if one.id == identity_id), None)
        if was is None:
            raise NotFound("There is no such account connected; it may have been disconnected already.")
        person = people.find(db, actor.person_id)
        if len(mine) == 1 and not (person and may_come_by_password(ctx, db, person)):
            raise Conflict(
                f"Without {was.provider} you could not come in any more.",
                code="last_way_in",
                todo=("Set a password or connect another account first.",),
            )
        identities.remove(db, identity_id)
        record(ctx, db, actor, "identity.unlink", was.provider, address=was.email)


def may_come_by_password(ctx: Context, db: Connection, person: Person) -> bool:
    found = people.find_by_email(db, person.email)
    return found is not None and passwords.is_one(found[1]) and sessions.by_password(ctx, person)
