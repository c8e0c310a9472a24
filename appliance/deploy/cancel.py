"""Stopping a deployment before it is live."""

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record_of
from appliance.context import Context
from appliance.deploy.log import Log
from appliance.deploy.submit import find_deployment
from appliance.errors import Conflict
from appliance.events import DeploymentChanged
from appliance.model.deployments import Deployment
from appliance.store import deployments, jobs


def cancel(ctx: Context, actor: Actor, deployment_id: str) -> Deployment:
    """A queued one ends now; a running one stops within moments and takes back what it did."""
    deployment = find_deployment(ctx, deployment_id)
    need(actor, "deployments.cancel", deployment.at)
    with ctx.write(DeploymentChanged(deployment.id, deployment.project, deployment.environment)) as db:
        now = deployments.find(db, deployment_id)
        if now is None or now.over:
            raise Conflict(
                f"#{deployment.number} has {now.status if now else 'gone'} already, so there is nothing to cancel.",
                code="over",
            )
        if now.live:
            raise Conflict(f"#{now.number} is live already. Roll back instead.", code="live")
        deployments.ask_cancel(db, deployment_id, actor.name)
        if now.status == "queued":
            deployments.finish(db, deployment_id, "cancelled", ctx.moment())
            jobs.drop(db, "deploy", deployment_id)
        record_of(ctx, db, actor, "deployment.cancel", now)
    Log(ctx, deployment_id).info(f"{actor.name} asked to cancel this deployment")
    return find_deployment(ctx, deployment_id)
