"""Grants: who may do what in one project or environment."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access.people.grants import put_grant, remove_grant
from appliance.api.answers import answer, body, nothing, page_of
from appliance.model.grants import Grant, NewGrant
from appliance.projects.find import find_project
from appliance.store import grants
from appliance.web.routes import actor_of, ctx_of, doc


@dataclass(frozen=True)
class GrantShape:
    id: str
    person: Annotated[str | None, "The person's e-mail address"]
    team: Annotated[str | None, "Or the team's name"]
    project: str
    environment: Annotated[str | None, "None for the whole project"]
    role: Annotated[str, "`viewer`, `developer` or `admin`"]
    created_at: str
    created_by: str


@doc("List who was granted what in a project", returns=GrantShape, listing=True, whole=True)
async def listed(request: Request) -> Response:
    ctx = ctx_of(request)
    project = find_project(ctx, request.path_params["project"])
    return page_of((grant_shape(one) for one in grants.in_project(ctx.db.read(), project.id)), None)


@doc("Grant a role, in place of the one that was granted there before", body=NewGrant, returns=GrantShape)
async def put(request: Request) -> Response:
    new = NewGrant.parse(await body(request))
    project = request.path_params["project"]
    return answer(grant_shape(await run_in_threadpool(put_grant, ctx_of(request), actor_of(request), project, new)))


@doc("Withdraw a grant", status=204)
def removed(request: Request) -> Response:
    names = request.path_params
    remove_grant(ctx_of(request), actor_of(request), names["project"], names["grant"])
    return nothing()


def grant_shape(one: Grant) -> GrantShape:
    return GrantShape(
        one.id, one.person, one.team, one.project, one.environment, one.role, one.created_at, one.created_by
    )
