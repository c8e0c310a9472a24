"""The rest of the X-ray, once visitors have what they wait for."""

from dataclasses import replace

from appliance.context import Context
from appliance.deploy import freeze, releases
from appliance.deploy.behind import Interrupted, Pace
from appliance.deploy.xray import look, remembered
from appliance.deploy.xray.others import found_by_others
from appliance.errors import NotFound
from appliance.events import DeploymentChanged
from appliance.machine import faults
from appliance.model.deployments import Deployment
from appliance.model.manifests import Manifest
from appliance.model.xrays import LOOKING, STOPPED, Report
from appliance.store import deployments, environments, jobs, xrays
from appliance.store.db import Connection

KIND = "xray"


def ask_for(db: Connection, deployment: Deployment, at: str) -> None:
    """A look at all of it, unless that was done already."""
    report = xrays.find(db, deployment.id)
    if deployment.release and (report is None or report.state == LOOKING) and not jobs.has(db, KIND, deployment.id):
        jobs.add(db, KIND, deployment.id, queue=KIND, at=at)


def finish(ctx: Context, deployment_id: str, _: int = 1) -> None:
    """The job."""
    deployment = deployments.find(ctx.db.read(), deployment_id)
    if deployment is None:
        return
    faults.point("xray")
    try:
        _look(ctx, deployment)
    except Interrupted:
        with ctx.write() as db:
            jobs.add(db, KIND, deployment_id, queue=KIND, at=ctx.moment())


def end_in_fault(ctx: Context, deployment_id: str) -> None:
    """Nobody waits for ever for what went wrong."""
    deployment = deployments.find(ctx.db.read(), deployment_id)
    report = _stopped(xrays.find(ctx.db.read(), deployment_id))
    if deployment is not None and report is not None:
        _keep(ctx, deployment, report)


def of_deployment(ctx: Context, deployment: Deployment) -> Report:
    report = xrays.find(ctx.db.read(), deployment.id)
    if report is None:
        older = deployment.status == "succeeded" and deployment.rules is None
        why = "it was made before Homeport took X-rays" if older else "it came to no release"
        raise NotFound(
            f"#{deployment.number} of {deployment.place} has no X-ray: {why}.",
            code="no_xray",
            todo=("Look at its log for why.",) if deployment.status == "failed" else (),
        )
    return report


def _look(ctx: Context, deployment: Deployment) -> None:
    known, release = xrays.find(ctx.db.read(), deployment.id), freeze.release_of(ctx, deployment)
    if release is None or not releases.ready(ctx, release.name):
        _stop(ctx, deployment, known)
        return
    try:
        served = releases.manifest_of(ctx, release.name)
        against = known.against if known else _live_when_it_came(ctx, deployment)
        earlier, before = _manifest_of(ctx, against)
        memory = remembered.of_release(ctx, release.name, earlier)
        report = look(
            release.path,
            served,
            before,
            release.rules,
            against=against,
            more=found_by_others(ctx, deployment, release, served),
            tick=Pace(ctx),
            memory=memory,
        )
    except FileNotFoundError:  # it was removed meanwhile
        _stop(ctx, deployment, known)
        return
    _keep(ctx, deployment, report)
    remembered.keep(ctx, release.name, memory)


def _stop(ctx: Context, deployment: Deployment, known: Report | None) -> None:
    """Where there is nothing to look at."""
    if report := _stopped(known):
        _keep(ctx, deployment, report)


def _keep(ctx: Context, deployment: Deployment, report: Report) -> None:
    changed = DeploymentChanged(deployment.id, deployment.project, deployment.environment)
    with ctx.write(changed, lasting=False) as db:
        xrays.keep(db, deployment.id, report)


def _stopped(known: Report | None) -> Report | None:
    return replace(known, state=STOPPED) if known and known.state == LOOKING else None


def _live_when_it_came(ctx: Context, deployment: Deployment) -> str | None:
    if deployment.status == "succeeded":
        return deployment.replaced
    environment = environments.by_id(ctx.db.read(), deployment.environment_id)
    return environment.live if environment else None


def _manifest_of(ctx: Context, deployment_id: str | None) -> tuple[str | None, Manifest | None]:
    """Of another deployment, with the name of its release."""
    found = deployments.find(ctx.db.read(), deployment_id) if deployment_id else None
    release = freeze.release_of(ctx, found) if found else None
    if release is None or not releases.ready(ctx, release.name):
        return None, None
    return release.name, releases.manifest_of(ctx, release.name)
