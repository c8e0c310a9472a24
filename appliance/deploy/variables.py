"""An environment's variables: what they are now, and which of them a deployment was made with."""

import json

from appliance.context import Context
from appliance.deploy.places import backend_of
from appliance.errors import Conflict
from appliance.machine import clock
from appliance.model.environments import Environment
from appliance.model.places import Place
from appliance.model.variables import Change, Variable
from appliance.store import variables
from appliance.store.db import Connection

_OPENED = "="  # before each value that is sealed: an empty value is not one that can't be opened


def variables_for(ctx: Context, environment: Environment) -> dict[str, str]:
    """All that whatever is started there gets: its own, and the shared ones that it has none in place of."""
    found = _values(ctx, ctx.db.read(), environment.at)
    lost = [name for name, value in found.items() if value is None]
    if lost:
        raise Conflict(
            f"{', '.join(lost)} in {environment.place} can't be opened any more: the key was lost.",
            code="variables_lost",
            todo=("Enter the values again.",),
        )
    return _readable(found)


def made_with(ctx: Context, deployment: str) -> dict[str, str]:
    """The variables that were frozen with a deployment, as long as it is live or about to be."""
    return _opened_set(ctx, variables.set_of(ctx.db.read(), deployment)) or {}


def freeze(ctx: Context, db: Connection, environment: Environment, deployment: str) -> str | None:
    """In the transaction that makes the deployment: what changes later counts for later ones. Says which version."""
    now, last = _readable(_values(ctx, db, environment.at)), variables.last_set(db, environment.id)
    if not now and last is None:
        return None
    if last is None or _opened_set(ctx, last) != now:
        last = clock.new_id(), ""
        sealed = ctx.seal(db, "variable_sets", last[0], _OPENED + json.dumps(now))
        variables.add_set(db, last[0], environment.id, sealed)
    variables.use_set(db, deployment, last[0])
    variables.forget_unneeded(db, environment.id)
    return last[0]


def not_live_yet(ctx: Context, environment: Environment) -> tuple[Change, ...]:
    """What was saved since the live deployment was made; nothing where none is live."""
    if environment.live is None:
        return ()
    was, now = made_with(ctx, environment.live), _readable(_values(ctx, ctx.db.read(), environment.at))
    changes = {name: _change(was.get(name), now.get(name)) for name in sorted({*was, *now})}
    return tuple(Change(name, change) for name, change in changes.items() if change != "same")


def are_read(ctx: Context, environment: Environment) -> bool:
    """Whether anything that runs there gets variables: static files can't."""
    return "variables" in backend_of(ctx, environment).SUPPORTS


def in_force(db: Connection, place: Place) -> tuple[Variable, ...]:
    """What counts at a place, by name: an environment's own come before those that its project shares."""
    found = {one.name: one for one in variables.at(db, Place(place.project_id))}
    if place.environment_id is not None:
        found |= {one.name: one for one in variables.at(db, place)}
    return tuple(found[name] for name in sorted(found))


def sealed(ctx: Context, db: Connection, variable_id: str, value: str) -> str:
    return ctx.seal(db, "variables", variable_id, _OPENED + value)


def opened(ctx: Context, variable: Variable) -> str | None:
    """None where the key that it was sealed with is lost."""
    text = ctx.unseal("variables", variable.id, variable.sealed)
    return text.removeprefix(_OPENED) if text else None


def _values(ctx: Context, db: Connection, place: Place) -> dict[str, str | None]:
    return {one.name: opened(ctx, one) for one in in_force(db, place)}


def _readable(values: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _opened_set(ctx: Context, kept: tuple[str, str] | None) -> dict[str, str] | None:
    """None where there is none, or where it can't be opened any more."""
    text = ctx.unseal("variable_sets", *kept) if kept else ""
    found: dict[str, str] | None = json.loads(text.removeprefix(_OPENED)) if text else None
    return found


def _change(was: str | None, now: str | None) -> str:
    if was == now:
        return "same"
    return "added" if was is None else "removed" if now is None else "changed"
