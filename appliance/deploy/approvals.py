"""A second person before a deployment goes live: asked for, given, refused, or over."""

import hashlib
import hmac
from datetime import timedelta

from appliance.access import outbox
from appliance.access.actor import HOMEPORT, Actor
from appliance.access.missing import no_deployment
from appliance.access.permissions import may, need, refusal
from appliance.access.powers_of import powers_of
from appliance.access.record import record_of
from appliance.context import Context
from appliance.deploy.log import Log
from appliance.errors import Conflict, Forbidden
from appliance.events import DeploymentChanged, JobAdded
from appliance.machine import clock
from appliance.model.approvals import Approval
from appliance.model.deployments import Deployment, Failure
from appliance.model.environments import Environment
from appliance.model.notices import Notice
from appliance.store import approvals, deployments, jobs, people
from appliance.store.db import Connection

APPROVE = "deployments.approve"
MARK = 32  # characters of a link's signature
LATE = ("Deploy it again, and have somebody look at it in time.",)


def asked(ctx: Context, db: Connection, actor: Actor, environment: Environment, deployment: Deployment) -> Deployment:
    """The same deployment, with a request where its environment wants one. It stays bound to it, and to its bundle."""
    rule = environment.approval
    if rule is None or (deployment.source == "rollback" and not rule.rollbacks):
        return deployment
    made = Approval("waiting", actor.person_id, clock.text(ctx.now() + timedelta(hours=rule.hours)))
    approvals.add(db, deployment.id, made)
    outbox.put(ctx, db, _awaited(ctx, actor, deployment))
    return deployments.find(db, deployment.id) or deployment


def approve(ctx: Context, actor: Actor, deployment_id: str, reason: str = "") -> Deployment:
    """It goes on in its turn."""
    deployment = _open(ctx, actor, deployment_id)
    with ctx.write(_changed(deployment), JobAdded()) as db:
        _refuse_undecidable(ctx, db, actor, deployment)
        approvals.decide(db, deployment.id, "approved", by=actor.name, at=ctx.moment(), reason=reason)
        jobs.due(db, "deploy", deployment.id, ctx.moment())
        record_of(ctx, db, actor, "deployment.approve", deployment, reason=reason)
    Log(ctx, deployment.id).info(f"Approved by {actor.name}{_because(reason)}")
    return _found(ctx, deployment.id)


def reject(ctx: Context, actor: Actor, deployment_id: str, reason: str) -> Deployment:
    """It ends, with who refused it and why."""
    deployment = _open(ctx, actor, deployment_id)
    with ctx.write(_changed(deployment)) as db:
        _refuse_undecidable(ctx, db, actor, deployment)
        why = Failure("rejected", f"{actor.name} rejected it: {reason.rstrip('.')}.", ("Deploy another bundle.",))
        _end(ctx, db, deployment, "rejected", why, by=actor.name, reason=reason)
        record_of(ctx, db, actor, "deployment.reject", deployment, reason=reason)
    Log(ctx, deployment.id).error(f"Rejected by {actor.name}{_because(reason)}")
    return _found(ctx, deployment.id)


def expire(ctx: Context) -> None:
    """Requests that nobody answered in time end, and their deployments with them."""
    for deployment_id in approvals.overdue(ctx.db.read(), ctx.moment()):
        deployment = deployments.find(ctx.db.read(), deployment_id)
        if deployment is not None:
            _expire(ctx, deployment)


def held(db: Connection, deployment: Deployment) -> bool:
    """Whether one that is about to begin must not. Its job waits as long as its request does."""
    now = deployments.find(db, deployment.id)
    if now is None or now.status != "queued" or now.approval is None or not now.approval.waits:
        return False
    jobs.drop(db, "deploy", now.id)
    jobs.add(db, "deploy", now.id, queue=f"environment:{now.environment_id}", at=jobs.NEVER)
    return True


def link(ctx: Context, deployment: Deployment) -> str:
    """Where somebody decides: for messages. It opens nothing to those who aren't signed in, or may not."""
    return f"/approvals/{deployment.id}.{_mark(ctx, deployment)}"


def of_link(ctx: Context, actor: Actor, text: str) -> Deployment:
    """What a link is about; a forged one is about nothing, in the words of what isn't there."""
    deployment_id, _, mark = text.partition(".")
    found = deployments.find(ctx.db.read(), deployment_id)
    if found is None or found.approval is None or not may(actor, "deployments.read", found.at):
        raise no_deployment()
    if not hmac.compare_digest(mark.encode(), _mark(ctx, found).encode()):
        raise no_deployment()
    need(actor, APPROVE, found.at)
    return found


def _mark(ctx: Context, deployment: Deployment) -> str:
    """Of this deployment and this request alone."""
    about = f"{deployment.id} {deployment.approval.expires_at if deployment.approval else ''}"
    return hmac.new(ctx.key("approvals"), about.encode(), hashlib.sha256).hexdigest()[:MARK]


def _open(ctx: Context, actor: Actor, deployment_id: str) -> Deployment:
    need(actor, APPROVE, _found(ctx, deployment_id).at)
    expire(ctx)
    return _found(ctx, deployment_id)


def _refuse_undecidable(ctx: Context, db: Connection, actor: Actor, deployment: Deployment) -> None:
    """As things are in this very transaction: two who decide at once, and one who was just removed, find out here."""
    now = deployments.find(db, deployment.id)
    if now is None:
        raise no_deployment()
    found = now.approval
    if found is None:
        raise Conflict(f"#{now.number} waits for nobody's approval.", code="no_approval")
    if not found.waits or found.expires_at <= ctx.moment():
        raise Conflict(f"#{now.number} {_decided(found)}, so there is nothing to decide.", code="decided")
    if actor.person_id == found.asked_by or actor.name == now.created_by:
        raise Forbidden(
            f"#{now.number} is your own: it takes a second person.",
            code="own_deployment",
            todo=("Ask somebody else who may approve it.", "To take it back, cancel it."),
        )
    person = people.find(db, actor.person_id)
    if person is None or not powers_of(db, person).hold(APPROVE, now.at):
        raise refusal(actor, APPROVE)


def _expire(ctx: Context, deployment: Deployment) -> None:
    with ctx.write(_changed(deployment)) as db:
        now = deployments.find(db, deployment.id)
        if now is None or now.over or now.approval is None or not now.approval.waits:
            return
        _end(
            ctx, db, now, "expired", Failure("approval_expired", "Nobody approved it in time.", LATE), by=HOMEPORT.name
        )
        record_of(ctx, db, HOMEPORT, "deployment.expire", now)
    Log(ctx, deployment.id).error("Nobody approved it in time")


def _end(
    ctx: Context, db: Connection, deployment: Deployment, status: str, why: Failure, *, by: str, reason: str = ""
) -> None:
    approvals.decide(db, deployment.id, status, by=by, at=ctx.moment(), reason=reason)
    deployments.finish(db, deployment.id, "cancelled", ctx.moment(), why)
    jobs.drop(db, "deploy", deployment.id)


def _decided(found: Approval) -> str:
    match found.status:
        case "approved" | "rejected":
            return f"was {found.status} by {found.by} already"
        case "withdrawn":
            return "ended before anybody decided"
        case _:
            return "was not approved in time"


def _awaited(ctx: Context, actor: Actor, deployment: Deployment) -> Notice:
    number, place = f"#{deployment.number}", deployment.environment
    return Notice("deployment.waiting", ctx.moment(), number, deployment.project, place, deployment.id, actor.name, "")


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _changed(deployment: Deployment) -> DeploymentChanged:
    return DeploymentChanged(deployment.id, deployment.project, deployment.environment)


def _found(ctx: Context, deployment_id: str) -> Deployment:
    found = deployments.find(ctx.db.read(), deployment_id)
    if found is None:
        raise no_deployment()
    return found
