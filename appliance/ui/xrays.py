"""X-rays: what stops a deployment, and two deployments side by side. One X-ray is on its deployment's page."""

from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.missing import no_deployment
from appliance.context import Context
from appliance.deploy.submit import find_deployment
from appliance.deploy.xray.compare import compare, with_a_release
from appliance.model.deployments import Deployment
from appliance.model.site_settings import SiteSettings
from appliance.model.xrays import KINDS
from appliance.projects.answering import change_site
from appliance.projects.find import find_environment
from appliance.store.sight import Sight, sees
from appliance.ui.forms import do, typed
from appliance.ui.places import of_environments
from appliance.web.page import go, render
from appliance.web.routes import actor_of, ctx_of, sight_of


def side_by_side(request: Request) -> Response:
    ctx, asked = ctx_of(request), request.query_params.get("with", "")
    shown = find_deployment(ctx, request.path_params["deployment"])
    seen = sight_of(request, "deployments.read")
    choices = [one for one in with_a_release(ctx, shown) if sees(seen, one.at)]
    other = _other(ctx, asked, seen) if asked else next(iter(choices), shown)
    if other not in choices:
        choices = [other, *choices]
    before, after = sorted((shown, other), key=lambda one: one.id)
    return render(
        request,
        "deployments/compare.html",
        shown=shown,
        other=other,
        choices=choices,
        before=before,
        after=after,
        found=compare(ctx, shown, other),
    )


def _other(ctx: Context, asked: str, seen: Sight | None) -> Deployment:
    found = find_deployment(ctx, asked)
    if not sees(seen, found.at):
        raise no_deployment()
    return found


def block_form(request: Request) -> Response:
    ctx, there = ctx_of(request), request.path_params
    environment = find_environment(ctx, there["project"], there["environment"])
    return render(
        request,
        "environments/xray.html",
        place=of_environments(ctx, (environment,))[0],
        kinds=KINDS,
        block=SiteSettings.of(environment.site).block,
    )


async def block(request: Request) -> Response:
    ctx, actor, there, raw = ctx_of(request), actor_of(request), request.path_params, await typed(request)
    environment = find_environment(ctx, there["project"], there["environment"])
    wanted = replace(SiteSettings.of(environment.site), block=tuple(code for code in KINDS if raw.get(code) == "true"))
    await do(partial(change_site, ctx, actor, there["project"], there["environment"], wanted))
    return go(f"/projects/{there['project']}/environments/{there['environment']}/xray", done="environment-changed")
