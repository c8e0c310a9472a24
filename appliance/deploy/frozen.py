"""Freezing an environment: nothing new is taken for it, and nothing that waits begins, until it is thawed."""

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record_in
from appliance.context import Context
from appliance.deploy.log import Log
from appliance.errors import Conflict
from appliance.events import DeploymentChanged, JobAdded, ProjectChanged
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment, Freeze, NewFreeze
from appliance.store import deployments, environments, jobs
from appliance.store.db import Connection


def freeze(ctx: Context, actor: Actor, environment: Environment, new: NewFreeze) -> Environment:
    """What runs goes to its end; what is queued stays queued."""
    need(actor, "environments.freeze", environment.at)
    with ctx.write(ProjectChanged(environment.project)) as db:
        refuse_frozen(environments.by_id(db, environment.id) or environment)
        made = Freeze(new.message, actor.name, ctx.moment())
        environments.set_frozen(db, environment.id, made)
        waits = [one for one in deployments.waiting(db, environment.id) if one.status == "queued"]
        record_in(ctx, db, actor, "environment.freeze", environment, message=new.message)
    for one in waits:
        Log(ctx, one.id).info(f"Waits: {words(environment, made)}")
    ctx.bus.publish(*(DeploymentChanged(one.id, one.project, one.environment) for one in waits))
    return environments.by_id(ctx.db.read(), environment.id) or environment


def thaw(ctx: Context, actor: Actor, environment: Environment) -> Environment:
    """What stayed queued goes on in its turn. One that isn't frozen stays as it is."""
    need(actor, "environments.freeze", environment.at)
    with ctx.write(ProjectChanged(environment.project), JobAdded()) as db:
        now = environments.by_id(db, environment.id) or environment
        if now.frozen is None:
            return now
        environments.set_frozen(db, environment.id, None)
        queued = (one for one in deployments.waiting(db, environment.id) if one.status == "queued")
        waits = [one for one in queued if one.approval is None or not one.approval.waits]
        for one in waits:
            jobs.due(db, "deploy", one.id, ctx.moment())
        record_in(ctx, db, actor, "environment.thaw", environment, message=now.frozen.message)
    for one in waits:
        Log(ctx, one.id).info(f"{actor.name} thawed {environment.place}: this deployment goes on")
    ctx.bus.publish(*(DeploymentChanged(one.id, one.project, one.environment) for one in waits))
    return environments.by_id(ctx.db.read(), environment.id) or environment


def refuse_frozen(environment: Environment) -> None:
    """Who, when, why, and how to go on."""
    found = environment.frozen
    if found is None:
        return
    raise Conflict(
        f"{words(environment, found)}.",
        code="frozen",
        todo=(
            f"Thaw it on its page, or with `homeport environments thaw {environment.name} "
            f"--project {environment.project}`.",
            "Or wait until it is thawed, then do this again.",
        ),
    )


def held(db: Connection, deployment: Deployment) -> bool:
    """Whether one that is about to begin must not: its job then waits to be thawed."""
    place = environments.by_id(db, deployment.environment_id)
    if deployment.status != "queued" or place is None or place.frozen is None:
        return False
    jobs.drop(db, "deploy", deployment.id)
    jobs.add(db, "deploy", deployment.id, queue=f"environment:{place.id}", at=jobs.NEVER)
    return True


def words(environment: Environment, found: Freeze) -> str:
    """`blog production is frozen by Ada since 2026-11-20 14:05 UTC: sale until Friday`."""
    since = f"{found.at[:10]} {found.at[11:16]} UTC"
    return f"{environment.place} is frozen by {found.by} since {since}: {found.message.rstrip('.')}"
