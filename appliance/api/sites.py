"""How an environment answers: its settings, what they would change, and what stands before it."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer, body
from appliance.model.environments import Environment
from appliance.model.guards import GuardPatch
from appliance.model.rules import Guard
from appliance.model.site_settings import SiteSettings
from appliance.projects.answering import change_guard, change_site
from appliance.projects.find import find_environment
from appliance.projects.preview import Preview, preview
from appliance.web.routes import actor_of, ctx_of, doc

PATH = {"path": "An address to look at as well, such as `/about`"}


@dataclass(frozen=True)
class GuardShape:
    user: Annotated[str, "The name that goes with the password; empty without one"]
    password: Annotated[bool, "Whether there is one; itself it is never shown"]
    maintenance: Annotated[str, "What the maintenance page says; empty while the site is up"]


@doc("How the next deployments of an environment will answer", returns=SiteSettings)
async def shown(request: Request) -> Response:
    return answer(SiteSettings.of(_environment(request).site))


@doc(
    "Set how the next deployments will answer; what is left out is as in a new environment",
    body=SiteSettings,
    returns=SiteSettings,
)
async def changed(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    wanted = SiteSettings.parse(await body(request))
    made = await run_in_threadpool(change_site, ctx, actor_of(request), place["project"], place["environment"], wanted)
    return answer(made)


@doc("What such settings would change of what is live", body=SiteSettings, returns=Preview, query=PATH)
async def previewed(request: Request) -> Response:
    wanted = SiteSettings.parse(await body(request))
    path = request.query_params.get("path", "")
    return answer(await run_in_threadpool(preview, ctx_of(request), _environment(request), wanted, path))


@doc("What stands before an environment now", returns=GuardShape)
async def guard_shown(request: Request) -> Response:
    return answer(_of_guard(_environment(request).guard))


@doc("Set or take away a password or the maintenance page, at once", body=GuardPatch, returns=GuardShape)
async def guard_changed(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    patch = GuardPatch.parse(await body(request))
    made = await run_in_threadpool(change_guard, ctx, actor_of(request), place["project"], place["environment"], patch)
    return answer(_of_guard(made))


def _environment(request: Request) -> Environment:
    return find_environment(ctx_of(request), request.path_params["project"], request.path_params["environment"])


def _of_guard(guard: Guard) -> GuardShape:
    return GuardShape(guard.user, bool(guard.password), guard.maintenance)
