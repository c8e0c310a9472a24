"""Waiting, where the caller asked to."""

import asyncio

from appliance.context import Context
from appliance.deploy.submit import find_deployment
from appliance.deploy.xray.after import of_deployment
from appliance.events import DeploymentChanged, UrlChanged
from appliance.model.deployments import Deployment
from appliance.model.urls import Url
from appliance.model.xrays import LOOKING, Report
from appliance.projects.edits import find_served
from appliance.store import environments, xrays
from appliance.web.sse import Ear


async def deployment_over(ctx: Context, deployment: Deployment, seconds: float) -> Deployment:
    """The deployment when it has ended, or as it is when time has run out."""
    until = asyncio.get_running_loop().time() + seconds
    with Ear(ctx, lambda event: isinstance(event, DeploymentChanged) and event.deployment == deployment.id) as ear:
        while not (now := find_deployment(ctx, deployment.id)).over:
            left = until - asyncio.get_running_loop().time()
            if left <= 0 or ctx.stopping.is_set():
                break
            await ear.next(left)
    return now


async def xray_done(ctx: Context, deployment: Deployment, seconds: float) -> Report:
    """The X-ray when pages were read as well, or as far as it is when time has run out."""
    until = asyncio.get_running_loop().time() + seconds
    with Ear(ctx, lambda event: isinstance(event, DeploymentChanged) and event.deployment == deployment.id) as ear:
        while (known := xrays.find(ctx.db.read(), deployment.id)) is None or known.state == LOOKING:
            left = until - asyncio.get_running_loop().time()
            if left <= 0 or ctx.stopping.is_set():
                break
            await ear.next(left)
    return of_deployment(ctx, find_deployment(ctx, deployment.id))


async def url_settled(ctx: Context, host: str, seconds: float) -> Url:
    """The URL when it is active, failed or waits for a deployment, or as it is when time has run out."""
    until = asyncio.get_running_loop().time() + seconds
    with Ear(ctx, lambda event: isinstance(event, UrlChanged) and event.host == host) as ear:
        while (url := find_served(ctx, host)).status == "pending" and not _waits_for_a_deployment(ctx, url):
            left = until - asyncio.get_running_loop().time()
            if left <= 0 or ctx.stopping.is_set():
                break
            await ear.next(left)
    return url


def _waits_for_a_deployment(ctx: Context, url: Url) -> bool:
    """Nothing is live there, and the job has seen so."""
    environment = environments.by_id(ctx.db.read(), url.environment_id)
    return url.nginx.status == "waiting" and (environment is None or environment.live is None)
