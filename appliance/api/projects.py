"""Projects and environments."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer, body, nothing, number_cursor, page_asked, page_of
from appliance.api.shapes import EnvironmentShape, ProjectShape, of_environments, of_projects
from appliance.deploy.frozen import freeze, thaw
from appliance.model.environments import Environment, EnvironmentPatch, NewEnvironment, NewFreeze
from appliance.model.projects import NewProject, ProjectPatch
from appliance.projects.create_environment import create_environment as create_one_environment
from appliance.projects.create_project import create_project
from appliance.projects.delete import delete_environment, delete_project
from appliance.projects.find import find_environment, find_project
from appliance.projects.frees import Frees, what_frees
from appliance.projects.rename import change_environment, rename_project
from appliance.store import environments, projects
from appliance.store.sight import sees
from appliance.web.remembered import remembered
from appliance.web.routes import actor_of, ctx_of, doc, sight_of

SEARCH = {"q": "Only those with this text in the name"}


@doc("List projects", returns=ProjectShape, listing=True, query=SEARCH)
@remembered
async def listed(request: Request) -> Response:
    ctx, (cursor, limit) = ctx_of(request), page_asked(request)
    q, seen = request.query_params.get("q", ""), sight_of(request, "projects.read")
    page = projects.search(ctx.db.read(), q, cursor=cursor, limit=limit, sight=seen)
    return page_of(of_projects(ctx, page.items, seen), page.next)


@doc("Create a project", body=NewProject, returns=ProjectShape, status=201)
async def created(request: Request) -> Response:
    ctx = ctx_of(request)
    new = NewProject.parse(await body(request))
    project = await run_in_threadpool(create_project, ctx, actor_of(request), new)
    where = {"Location": f"/api/v1/projects/{project.name}"}
    return answer(of_projects(ctx, (project,))[0], 201, where)


@doc("Show a project", returns=ProjectShape)
async def shown(request: Request) -> Response:
    ctx = ctx_of(request)
    project = find_project(ctx, request.path_params["project"])
    return answer(of_projects(ctx, (project,), sight_of(request, "projects.read"))[0])


@doc("Rename a project", body=ProjectPatch, returns=ProjectShape)
async def renamed(request: Request) -> Response:
    ctx = ctx_of(request)
    patch = ProjectPatch.parse(await body(request))
    name = request.path_params["project"]
    project = await run_in_threadpool(rename_project, ctx, actor_of(request), name, patch)
    return answer(of_projects(ctx, (project,), sight_of(request, "projects.read"))[0])


@doc("Delete a project; its bundles stay", status=204)
def deleted(request: Request) -> Response:
    delete_project(ctx_of(request), actor_of(request), request.path_params["project"])
    return nothing()


@doc("What deleting a project would free", returns=Frees)
async def frees(request: Request) -> Response:
    ctx = ctx_of(request)
    project = find_project(ctx, request.path_params["project"])
    seen = sight_of(request, "projects.read")
    those = environments.of_project(ctx.db.read(), project.id)
    return answer(what_frees(ctx, tuple(one for one in those if sees(seen, one.at))))


@doc("List environments", returns=EnvironmentShape, listing=True)
async def environments_listed(request: Request) -> Response:
    ctx, (cursor, limit) = ctx_of(request), page_asked(request)
    project = find_project(ctx, request.path_params["project"])
    after = number_cursor(cursor)
    seen = sight_of(request, "projects.read")
    those = [one for one in environments.of_project(ctx.db.read(), project.id) if sees(seen, one.at)]
    rest = [one for one in those if after is None or _rank(one) > after]
    following = str(_rank(rest[limit - 1])) if len(rest) > limit else None
    return page_of(of_environments(ctx, tuple(rest[:limit])), following)


@doc("Create an environment", body=NewEnvironment, returns=EnvironmentShape, status=201)
async def environment_created(request: Request) -> Response:
    ctx, project = ctx_of(request), request.path_params["project"]
    new = NewEnvironment.parse(await body(request))
    made = await run_in_threadpool(create_one_environment, ctx, actor_of(request), project, new)
    where = {"Location": f"/api/v1/projects/{project}/environments/{made.name}"}
    return answer(of_environments(ctx, (made,))[0], 201, where)


@doc("Show an environment", returns=EnvironmentShape)
async def environment_shown(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    return answer(of_environments(ctx, (find_environment(ctx, place["project"], place["environment"]),))[0])


@doc("Rename an environment or change its backend", body=EnvironmentPatch, returns=EnvironmentShape)
async def environment_changed(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    patch = EnvironmentPatch.parse(await body(request))
    changed = await run_in_threadpool(
        change_environment, ctx, actor_of(request), place["project"], place["environment"], patch
    )
    return answer(of_environments(ctx, (changed,))[0])


@doc("Delete an environment; its bundles stay", status=204)
def environment_deleted(request: Request) -> Response:
    place = request.path_params
    delete_environment(ctx_of(request), actor_of(request), place["project"], place["environment"])
    return nothing()


@doc("Freeze an environment: nothing is deployed to it until it is thawed", body=NewFreeze, returns=EnvironmentShape)
async def environment_frozen(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    new = NewFreeze.parse(await body(request))
    environment = find_environment(ctx, place["project"], place["environment"])
    made = await run_in_threadpool(freeze, ctx, actor_of(request), environment, new)
    return answer(of_environments(ctx, (made,))[0])


@doc("Thaw an environment; what stayed queued goes on", returns=EnvironmentShape)
def environment_thawed(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    environment = find_environment(ctx, place["project"], place["environment"])
    return answer(of_environments(ctx, (thaw(ctx, actor_of(request), environment),))[0])


def _rank(environment: Environment) -> int:
    """Production first, then as they were made."""
    return 0 if environment.name == "production" else environment.id
