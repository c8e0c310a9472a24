"""Where a deployment stands in the line of its environment, and why it waits."""

from dataclasses import dataclass
from typing import Annotated

from appliance.context import Context
from appliance.deploy import frozen
from appliance.model.deployments import Deployment
from appliance.store import deployments, environments
from appliance.store.db import Connection


@dataclass(frozen=True)
class Ahead:
    """One that comes first."""

    id: str
    number: int
    status: Annotated[str, "`queued` or `running`"]
    started_at: str | None


@dataclass(frozen=True)
class Queue:
    position: Annotated[int, "1 is the next to begin"]
    after: Annotated[tuple[Ahead, ...], "What comes first, in order"]
    cause: Annotated[str, "Why it waits, in words"]


def place_in_line(ctx: Context, deployment: Deployment) -> Queue | None:
    """None for one that doesn't wait."""
    return _in_line(ctx.db.read(), deployment)


def said_in_log(db: Connection, deployment: Deployment) -> str:
    """For one that has just come; nothing where it may begin at once."""
    line = _in_line(db, deployment)
    awaited = deployment.approval is not None and deployment.approval.waits
    return f"Waits: {line.cause}" if line and (line.after or awaited) else ""


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _in_line(db: Connection, deployment: Deployment) -> Queue | None:
    if deployment.status != "queued":
        return None
    first = [one for one in deployments.waiting(db, deployment.environment_id) if one.id < deployment.id]
    after = tuple(Ahead(one.id, one.number, one.status, one.started_at) for one in first)
    place = environments.by_id(db, deployment.environment_id)
    if place is not None and place.frozen is not None:
        return Queue(len(after) + 1, after, frozen.words(place, place.frozen))
    if deployment.approval is not None and deployment.approval.waits:
        return Queue(len(after) + 1, after, deployment.approval.cause)
    return Queue(len(after) + 1, after, _cause(after))


def _cause(after: tuple[Ahead, ...]) -> str:
    if not after:
        return "next in line, as soon as a worker is free"
    names = [f"#{one.number}{' (running)' if one.status == 'running' else ''}" for one in after]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{ordinal(len(after) + 1)} in line, after {listed}"
