"""Whether somebody who is in the middle of something may still come in, and as what."""

from appliance.access.actor import Actor
from appliance.access.powers import Powers
from appliance.access.powers_of import powers_of
from appliance.context import Context
from appliance.model.people import Person
from appliance.store import keys, people


def standing(ctx: Context, actor: Actor) -> Powers | None:
    """What their person may do now; None once their session or key is over. Another answer than before: ask them in."""
    person = _person(ctx, actor)
    return powers_of(ctx.db.read(), person) if person else None


def _person(ctx: Context, actor: Actor) -> Person | None:
    db, now = ctx.db.read(), ctx.moment()
    if actor.kind != "key":
        return people.session_person(db, actor.session, now)
    key = keys.find(db, actor.key_id)
    over = key is None or (key.expires_at is not None and key.expires_at <= now)
    return None if over else people.find(db, actor.person_id)
