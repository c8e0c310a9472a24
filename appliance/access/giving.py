"""Nobody gives more than they hold, as it is at the moment when it is given."""

from collections.abc import Callable

from appliance.access.actor import Actor
from appliance.access.permissions import RANK, ROLES, granted, may, refusal
from appliance.access.powers_of import powers_of
from appliance.errors import Forbidden
from appliance.model.people import Person
from appliance.model.places import Place
from appliance.store import people
from appliance.store.db import Connection

Held = Callable[[str, Place | None], bool]


def held_now(db: Connection, actor: Actor) -> Held:
    """What was taken from somebody while they asked counts as taken."""
    if actor.kind == "homeport":
        return lambda permission, at: True
    person = people.find(db, actor.person_id)
    if person is None:
        return lambda permission, at: False
    now = powers_of(db, person)
    return lambda permission, at: may(actor, permission, at) and now.hold(permission, at)


def need_now(db: Connection, actor: Actor, permission: str, at: Place | None = None) -> None:
    if not held_now(db, actor)(permission, at):
        raise refusal(actor, permission)


def refuse_role_beyond(db: Connection, actor: Actor, role: str) -> None:
    held = held_now(db, actor)
    if not all(held(permission, None) for permission in ROLES[role]):
        raise _beyond(actor, f"the role {role}")


def refuse_grant_beyond(db: Connection, actor: Actor, role: str, at: Place) -> None:
    held = held_now(db, actor)
    if not all(held(permission, at) for permission in granted(role, at)):
        raise _beyond(actor, f"the role {role} there")


def refuse_above(db: Connection, actor: Actor, person: Person) -> None:
    """Nobody changes or removes somebody who may do more; owners are for owners."""
    if person.role == "owner":
        need_now(db, actor, "people.owners")
    asking = people.find(db, actor.person_id)
    if actor.kind != "homeport" and (asking is None or _rank(asking.role) < _rank(person.role)):
        raise Forbidden(f"{person.email} may do more here than {actor.name}, who can't change that.", code="above")


def _rank(role: str) -> int:
    return RANK.index(role) if role in RANK else -1


def _beyond(actor: Actor, what: str) -> Forbidden:
    return Forbidden(f"{actor.name} can't give {what}: nobody gives more than they hold.", code="beyond")
