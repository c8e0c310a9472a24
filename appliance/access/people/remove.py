"""Remove a person: sessions and keys end in the same moment; what they did stays under their name."""

from appliance.access.actor import Actor
from appliance.access.giving import need_now, refuse_above
from appliance.access.people.change import refuse_last_owner
from appliance.access.people.find import find_person
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import BadRequest
from appliance.model.people import Person
from appliance.store import people
from appliance.store.db import Connection


def remove_person(ctx: Context, actor: Actor, who: str) -> None:
    with ctx.write() as db:
        need_now(db, actor, "people.delete")
        person = find_person(db, who)
        refuse_above(db, actor, person)
        _remove(ctx, db, actor, person)


def leave(ctx: Context, actor: Actor) -> None:
    """Oneself. Not by a key: whoever holds one is not always its person."""
    if not actor.session:
        raise BadRequest("A key can't remove its person; sign in to leave.", code="no_session")
    with ctx.write() as db:
        _remove(ctx, db, actor, find_person(db, actor.person_id))


def _remove(ctx: Context, db: Connection, actor: Actor, person: Person) -> None:
    refuse_last_owner(db, person)
    people.remove(db, person.id)
    record(ctx, db, actor, "person.remove", person.email, role=person.role)
