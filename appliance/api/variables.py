"""Variables: of a project, whose environments share them, and of an environment."""

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer, body, nothing, page_of
from appliance.deploy.variables import not_live_yet
from appliance.errors import Invalid
from appliance.model.variables import (
    Change,
    Import,
    Imported,
    NewValue,
    NewVariables,
    ShownVariable,
    VariablesPatch,
    variable_name,
)
from appliance.projects.find import find_environment
from appliance.projects.variables import (
    Holder,
    change_variables,
    export_variables,
    holder_of,
    import_variables,
    in_force,
    remove_variable,
    replace_variables,
    set_variable,
)
from appliance.web.routes import actor_of, ctx_of, doc

DRY = {"dry-run": "Say what it would change, and change nothing"}
SHARED = {"shared": "In an environment: with `1`, the shared ones that count there too"}
ENV = "text/plain"
LISTED = {"returns": ShownVariable, "listing": True, "whole": True}


@doc("List variables; in an environment those that count there, shared ones included", **LISTED)
async def listed(request: Request) -> Response:
    return await _all(request, _holder(request))


@doc("Set variables and remove some, all of it or nothing", body=VariablesPatch, **LISTED)
async def changed(request: Request) -> Response:
    ctx, holder, patch = ctx_of(request), _holder(request), VariablesPatch.parse(await body(request))
    await run_in_threadpool(change_variables, ctx, actor_of(request), holder, patch)
    return await _all(request, holder)


@doc("Set all variables: what is left out is removed", body=NewVariables, **LISTED)
async def replaced(request: Request) -> Response:
    ctx, holder, new = ctx_of(request), _holder(request), NewVariables.parse(await body(request))
    await run_in_threadpool(replace_variables, ctx, actor_of(request), holder, new)
    return await _all(request, holder)


@doc("Set a variable", body=NewValue, returns=ShownVariable)
async def put(request: Request) -> Response:
    ctx, holder, name = ctx_of(request), _holder(request), _name(request)
    new = NewValue.parse(await body(request))
    return answer(await run_in_threadpool(set_variable, ctx, actor_of(request), holder, name, new))


@doc("Remove a variable", status=204)
def removed(request: Request) -> Response:
    remove_variable(ctx_of(request), actor_of(request), _holder(request), request.path_params["name"])
    return nothing()


@doc("Import a `.env` file: all of it or nothing", body=Import, returns=Imported, query=DRY)
async def imported(request: Request) -> Response:
    ctx, holder, new = ctx_of(request), _holder(request), Import.parse(await body(request))
    dry_run = request.query_params.get("dry-run", "0") not in ("0", "false")
    return answer(
        await run_in_threadpool(partial(import_variables, ctx, actor_of(request), holder, new, dry_run=dry_run))
    )


@doc("Export as a `.env` file; of secrets the names alone", binary=ENV, query=SHARED)
def exported(request: Request) -> Response:
    holder, shared = _holder(request), request.query_params.get("shared") in ("1", "true")
    text = export_variables(ctx_of(request), holder, shared=shared)
    name = holder.words.replace(" ", "-")
    headers = {"Content-Disposition": f'attachment; filename="{name}.env"', "Cache-Control": "no-store"}
    return Response(text, media_type=ENV, headers=headers)


@doc("What was saved since the live deployment was made, and is not live yet", returns=Change, listing=True, whole=True)
async def waiting(request: Request) -> Response:
    ctx, there = ctx_of(request), request.path_params
    environment = find_environment(ctx, there["project"], there["environment"])
    return page_of(await run_in_threadpool(not_live_yet, ctx, environment), None)


async def _all(request: Request, holder: Holder) -> Response:
    return page_of(await run_in_threadpool(in_force, ctx_of(request), holder), None)


def _holder(request: Request) -> Holder:
    return holder_of(ctx_of(request), request.path_params["project"], request.path_params.get("environment"))


def _name(request: Request) -> str:
    try:
        return variable_name(request.path_params["name"])
    except ValueError as why:
        raise Invalid({"name": str(why)}) from why
