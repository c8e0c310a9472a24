"""Teams, and who is in them."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access.people import teams as access
from appliance.api.access import PersonShape
from appliance.api.answers import answer, body, nothing, page_asked, page_of
from appliance.api.grants import GrantShape, grant_shape
from appliance.context import Context
from appliance.model.people import Person
from appliance.model.teams import NewMember, NewTeam, Team, TeamPatch
from appliance.store import grants, teams
from appliance.web.routes import actor_of, ctx_of, doc


@dataclass(frozen=True)
class TeamShape:
    name: str
    members: Annotated[tuple[PersonShape, ...], "Who is in it"]
    grants: Annotated[tuple[GrantShape, ...], "What was granted to it"]
    created_at: str
    created_by: str


@doc("List teams", returns=TeamShape, listing=True)
async def listed(request: Request) -> Response:
    ctx, (cursor, limit) = ctx_of(request), page_asked(request)
    page = teams.by_name(ctx.db.read(), cursor=cursor, limit=limit)
    return page_of((_team(ctx, one) for one in page.items), page.next)


@doc("Create a team", body=NewTeam, returns=TeamShape, status=201)
async def created(request: Request) -> Response:
    ctx = ctx_of(request)
    new = NewTeam.parse(await body(request))
    return answer(_team(ctx, await run_in_threadpool(access.create_team, ctx, actor_of(request), new)), 201)


@doc("Show a team", returns=TeamShape)
async def shown(request: Request) -> Response:
    ctx = ctx_of(request)
    return answer(_team(ctx, access.find_team(ctx.db.read(), request.path_params["team"])))


@doc("Rename a team", body=TeamPatch, returns=TeamShape)
async def renamed(request: Request) -> Response:
    ctx, name = ctx_of(request), request.path_params["team"]
    patch = TeamPatch.parse(await body(request))
    return answer(_team(ctx, await run_in_threadpool(access.rename_team, ctx, actor_of(request), name, patch)))


@doc("Delete a team; what was granted to it ends", status=204)
def deleted(request: Request) -> Response:
    access.delete_team(ctx_of(request), actor_of(request), request.path_params["team"])
    return nothing()


@doc("Add a person to a team", body=NewMember, returns=TeamShape)
async def member_added(request: Request) -> Response:
    ctx, name = ctx_of(request), request.path_params["team"]
    new = NewMember.parse(await body(request))
    await run_in_threadpool(access.add_member, ctx, actor_of(request), name, new.person)
    return answer(_team(ctx, access.find_team(ctx.db.read(), name)))


@doc("Take a person out of a team", status=204)
def member_removed(request: Request) -> Response:
    names = request.path_params
    access.remove_member(ctx_of(request), actor_of(request), names["team"], names["person"])
    return nothing()


def _team(ctx: Context, team: Team) -> TeamShape:
    db = ctx.db.read()
    members = tuple(_member(one) for one in teams.members(db, team.id))
    granted = tuple(grant_shape(one) for one in grants.of_team(db, team.id))
    return TeamShape(team.name, members, granted, team.created_at, team.created_by)


def _member(one: Person) -> PersonShape:
    return PersonShape(one.id, one.email, one.role, one.created_at)
