"""The record of what anyone did, written in the transaction that did it."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.access import outbox
from appliance.access.actor import Actor
from appliance.context import Context
from appliance.model.activity import Activity
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.notices import Notice
from appliance.model.places import Place
from appliance.store import activity, people
from appliance.store.db import Connection

Fact = str | int | bool | None
KEY = "activity"


@dataclass(frozen=True)
class _Done:
    """What was done, to what and where: by names as they are now, and by the numbers that stay."""

    verb: str
    subject: str
    project: str | None = None
    environment: str | None = None
    deployment: str | None = None
    at: Place | None = None


def record(
    ctx: Context,
    db: Connection,
    actor: Actor,
    verb: str,
    subject: str,
    *,
    project: str | None = None,
    environment: str | None = None,
    **data: Fact,
) -> None:
    at = activity.place_of(db, project, environment) if project else None
    _add(ctx, db, actor, _Done(verb, subject, project, environment, None, at), data)


def record_in(ctx: Context, db: Connection, actor: Actor, verb: str, place: Environment, **data: Fact) -> None:
    """Something done to an environment."""
    _add(ctx, db, actor, _Done(verb, place.name, place.project, place.name, None, place.at), data)


def record_of(ctx: Context, db: Connection, actor: Actor, verb: str, deployment: Deployment, **data: Fact) -> None:
    """Something that happened to a deployment."""
    number, place = f"#{deployment.number}", deployment.environment
    _add(ctx, db, actor, _Done(verb, number, deployment.project, place, deployment.id, deployment.at), data)


def _add(ctx: Context, db: Connection, actor: Actor, done: _Done, data: Mapping[str, Fact]) -> None:
    """What is secret goes out of it here, where it is written."""
    entry = Activity(
        id=0,
        at=ctx.moment(),
        actor=actor.name,
        actor_kind=actor.kind,
        verb=done.verb,
        subject=ctx.redact(done.subject),
        project=done.project,
        environment=done.environment,
        deployment=done.deployment,
        door=actor.door,
        ip=actor.ip,
        data={name: ctx.redact(it) if isinstance(it, str) else it for name, it in data.items()},
        person=_person(db, actor),
        key_id=actor.key_id or None,
    )
    activity.add(db, entry, ctx.key(KEY), done.at)
    outbox.put(ctx, db, _notice(entry))


def _notice(entry: Activity) -> Notice:
    """The same, as it is told to others."""
    ends = entry.data.get("expires") if entry.verb == "certificate.ending" else None
    why = str(entry.data.get("why") or (f"It ends {ends}." if ends else ""))
    return Notice(
        entry.verb, entry.at, entry.subject, entry.project, entry.environment, entry.deployment, entry.actor, why
    )


def _person(db: Connection, actor: Actor) -> str | None:
    """A key is known by its own name; here is whose it is."""
    if actor.kind == "person":
        return actor.name
    found = people.find(db, actor.person_id) if actor.person_id else None
    return found.email if found else None
