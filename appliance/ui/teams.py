"""Settings, teams."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.people.teams import add_member, create_team, delete_team, find_team, remove_member, rename_team
from appliance.errors import Forbidden, NotFound
from appliance.model.teams import NewMember, NewTeam, TeamPatch
from appliance.store import grants, teams
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.lists import Pages
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

HERE = "/settings/teams"


def index(request: Request) -> Response:
    return _show_all(request, Form(fields=("name",)))


async def create(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        made = await do(partial(create_team, ctx, actor, NewTeam.parse(raw)))
    except Wrong as why:
        form = again(raw, why, fields=("name",), about="name")
        return await do(partial(_show_all, request, form, why.status))
    return go(f"{HERE}/{made.name}", done="team-made")


def show(request: Request) -> Response:
    return _show(request)


async def rename(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        renamed = await do(partial(rename_team, ctx, actor, request.path_params["team"], TeamPatch.parse(raw)))
    except Wrong as why:
        form = again(raw, why, fields=("name",), about="name")
        return await do(partial(_show, request, naming=form, code=why.status))
    return go(f"{HERE}/{renamed.name}", done="team-changed")


async def add(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    name = request.path_params["team"]
    try:
        await do(partial(add_member, ctx, actor, name, NewMember.parse(raw).person))
    except (*Wrong, NotFound, Forbidden) as why:
        form = again(raw, why, fields=("person",), about="person")
        return await do(partial(_show, request, adding=form, code=why.status))
    return go(f"{HERE}/{name}", done="team-changed")


async def remove(request: Request) -> Response:
    names = request.path_params
    await do(partial(remove_member, ctx_of(request), actor_of(request), names["team"], names["person"]))
    return go(f"{HERE}/{names['team']}", done="team-changed")


def delete_form(request: Request) -> Response:
    db = ctx_of(request).db.read()
    team = find_team(db, request.path_params["team"])
    return render(
        request,
        "settings/delete-team.html",
        team=team,
        members=teams.members(db, team.id),
        grants=grants.of_team(db, team.id),
        action=f"{HERE}/{team.name}/delete",
        back=f"{HERE}/{team.name}",
    )


async def delete(request: Request) -> Response:
    await do(partial(delete_team, ctx_of(request), actor_of(request), request.path_params["team"]))
    return go(HERE, done="team-deleted")


def _show_all(request: Request, form: Form, code: int = 200) -> Response:
    db, pages = ctx_of(request).db.read(), Pages(request)
    page = teams.by_name(db, cursor=pages.cursor, limit=pages.limit)
    rows = [(one, teams.members(db, one.id), grants.of_team(db, one.id)) for one in page.items]
    return render(request, "settings/teams.html", code, rows=rows, form=form, **pages.links(page.next))


def _show(request: Request, naming: Form | None = None, adding: Form | None = None, code: int = 200) -> Response:
    db = ctx_of(request).db.read()
    team = find_team(db, request.path_params["team"])
    return render(
        request,
        "settings/team.html",
        code,
        team=team,
        members=teams.members(db, team.id),
        grants=grants.of_team(db, team.id),
        naming=naming or Form({"name": team.name}, {}, ("name",)),
        adding=adding or Form(fields=("person",)),
    )
