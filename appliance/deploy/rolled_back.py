"""An environment that was rolled back says so, until that is undone or something newer goes live."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from appliance.context import Context
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.store import deployments, rollbacks


@dataclass(frozen=True)
class Named:
    """A deployment by its names."""

    id: str
    number: int


@dataclass(frozen=True)
class RolledBack:
    from_: Annotated[Named, "What was live until then; to undo is to roll back to this"]
    to: Annotated[Named, "Whose release visitors get now"]
    by: Annotated[str, "Who rolled it back"]
    at: str


def rolled_back(ctx: Context, environment: Environment) -> RolledBack | None:
    return several(ctx, (environment,)).get(environment.id)


def several(ctx: Context, those: Sequence[Environment]) -> dict[int, RolledBack]:
    """Those that are rolled back, by the id of the environment."""
    db = ctx.db.read()
    live = deployments.several(db, [one.live for one in those if one.live])
    back = [one for one in live.values() if one.source == "rollback"]
    if not back:
        return {}
    ends = rollbacks.ends(db, [one.id for one in back])
    known = deployments.several(db, sorted({name for pair in ends.values() for name in pair}))
    return {
        one.environment_id: _said(one, known[ends[one.id][0]], known[ends[one.id][1]])
        for one in back
        if one.id in ends and ends[one.id][0] != ends[one.id][1]
    }


def _said(live: Deployment, before: Deployment, after: Deployment) -> RolledBack:
    return RolledBack(
        Named(before.id, before.number),
        Named(after.id, after.number),
        live.created_by,
        live.finished_at or live.created_at,
    )
