"""What a deployment is made from, where that is said as JSON."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from appliance.access.actor import Actor
from appliance.context import Context
from appliance.deploy import delta, releases, submit, uploads
from appliance.deploy.frozen import refuse_frozen
from appliance.model.bundles import BundleByHash
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.trees import FromUpload, Tree, start_of
from appliance.web.body import list_of_files

Wanted = BundleByHash | FromUpload | Tree


async def told(request: Request, ctx: Context) -> Wanted:
    return await run_in_threadpool(start_of, await list_of_files(request, ctx))


def start(ctx: Context, actor: Actor, environment: Environment, wanted: Wanted, once: submit.Once | None) -> Deployment:
    if isinstance(wanted, BundleByHash):
        return submit.again(ctx, actor, environment, wanted.bundle, once)
    if isinstance(wanted, FromUpload):
        return uploads.deploy_upload(ctx, actor, environment, wanted.upload, once)
    if once is None:
        refuse_frozen(environment)  # before anything is sent in vain
    with releases.shelf_in_use():
        return delta.deploy_tree(ctx, actor, environment, delta.plan(ctx, actor, wanted), once)
