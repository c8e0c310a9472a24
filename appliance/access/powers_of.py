"""What a person may do now: their role, and what was granted to them and their teams."""

from collections import defaultdict

from appliance.access.permissions import granted, powers_of_role
from appliance.access.powers import Permissions, Powers
from appliance.model.people import Person
from appliance.model.places import Place
from appliance.store import grants
from appliance.store.db import Connection


def powers_of(db: Connection, person: Person) -> Powers:
    by_role = powers_of_role(person.role)
    if person.role == "owner":
        return by_role
    within: dict[Place, Permissions] = defaultdict(frozenset)
    for role, place in grants.roles_of(db, person.id):
        within[place] |= granted(role, place)
    return Powers(
        by_role.everywhere,
        {place.project_id: held for place, held in within.items() if place.environment_id is None},
        {place: held for place, held in within.items() if place.environment_id is not None},
    )
