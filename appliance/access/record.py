"""The record of what anyone did, written in the transaction that did it."""

from appliance.access.actor import Actor
from appliance.context import Context
from appliance.model.activity import Activity
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.store import activity
from appliance.store.db import Connection


def record(
    ctx: Context,
    db: Connection,
    actor: Actor,
    verb: str,
    subject: str,
    *,
    project: str | None = None,
    environment: str | None = None,
    deployment: str | None = None,
    **data: str | int | bool | None,
) -> None:
    activity.add(
        db,
        Activity(
            id=0,
            at=ctx.moment(),
            actor=actor.name,
            actor_kind=actor.kind,
            verb=verb,
            subject=subject,
            project=project,
            environment=environment,
            deployment=deployment,
            door=actor.door,
            ip=actor.ip,
            data=dict[str, object](data),
        ),
    )


def record_in(ctx: Context, db: Connection, actor: Actor, verb: str, place: Environment, **data: str) -> None:
    """Something done to an environment."""
    record(ctx, db, actor, verb, place.name, project=place.project, environment=place.name, **data)


def record_of(
    ctx: Context, db: Connection, actor: Actor, verb: str, deployment: Deployment, **data: str | int | None
) -> None:
    """Something that happened to a deployment."""
    record(
        ctx,
        db,
        actor,
        verb,
        f"#{deployment.number}",
        project=deployment.project,
        environment=deployment.environment,
        deployment=deployment.id,
        **data,
    )
