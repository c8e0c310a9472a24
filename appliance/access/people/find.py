"""Finding a person by id or address, or saying that nobody is here by it."""

from appliance.errors import NotFound
from appliance.model.people import Person
from appliance.store import people
from appliance.store.db import Connection


def find_person(db: Connection, who: str) -> Person:
    if "@" in who:
        by_email = people.find_by_email(db, who)
        found = by_email[0] if by_email else None
    else:
        found = people.find(db, who)
    if found is None:
        raise NotFound(f"There is nobody here by {who}.", code="no_person")
    return found
