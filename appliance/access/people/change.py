"""Give a person another role."""

from appliance.access.actor import Actor
from appliance.access.giving import need_now, refuse_above, refuse_role_beyond
from appliance.access.people.find import find_person
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict
from appliance.model.people import Person
from appliance.store import people
from appliance.store.db import Connection


def change_role(ctx: Context, actor: Actor, who: str, role: str) -> Person:
    with ctx.write() as db:
        need_now(db, actor, "people.owners" if role == "owner" else "people.update")
        person = find_person(db, who)
        refuse_above(db, actor, person)
        refuse_role_beyond(db, actor, role)
        if role != person.role:
            refuse_last_owner(db, person)
            people.set_role(db, person.id, role)
            record(ctx, db, actor, "person.update", person.email, was=person.role, now=role)
        return find_person(db, person.id)


def refuse_last_owner(db: Connection, person: Person) -> None:
    """Somebody has to be left who may do everything."""
    if person.role == "owner" and people.owners(db) < 2:
        raise Conflict(
            f"{person.email} is the only owner here.", code="last_owner", todo=("Make somebody else an owner first.",)
        )
