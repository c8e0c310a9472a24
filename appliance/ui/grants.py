"""A project's page of who may do what in it."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.people.grants import find_grant, put_grant, remove_grant
from appliance.errors import Forbidden, NotFound
from appliance.model.grants import NewGrant
from appliance.projects.find import find_project
from appliance.store import environments, grants
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.places import main_of, of_project
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of, sight_of

FIELDS = ("who", "environment", "role")


def index(request: Request) -> Response:
    return _show(request, Form({"role": "developer"}, {}, FIELDS))


async def put(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    project = request.path_params["project"]
    try:
        await do(partial(put_grant, ctx, actor, project, NewGrant.parse(_subject(raw))))
    except (*Wrong, NotFound, Forbidden) as why:
        form = again(raw, why, fields=FIELDS, about="who")
        return await do(partial(_show, request, form, why.status))
    return go(f"/projects/{project}/access", done="granted")


def remove_form(request: Request) -> Response:
    names = request.path_params
    found = find_grant(ctx_of(request).db.read(), names["project"], names["grant"])
    base = f"/projects/{found.project}/access"
    return render(request, "projects/withdraw.html", grant=found, action=f"{base}/{found.id}/remove", back=base)


async def remove(request: Request) -> Response:
    names = request.path_params
    await do(partial(remove_grant, ctx_of(request), actor_of(request), names["project"], names["grant"]))
    return go(f"/projects/{names['project']}/access", done="withdrawn")


def _show(request: Request, form: Form, code: int = 200) -> Response:
    ctx = ctx_of(request)
    db, project = ctx.db.read(), find_project(ctx, request.path_params["project"])
    places = of_project(ctx, project.id, sight_of(request, "projects.read"), acts=True)
    return render(
        request,
        "projects/access.html",
        code,
        project=project,
        places=places,
        main=main_of(places),
        grants=grants.in_project(db, project.id),
        environments=[one.name for one in environments.of_project(db, project.id)],
        form=form,
    )


def _subject(raw: dict[str, str]) -> dict[str, str | None]:
    """An address is a person's, anything else a team's name."""
    who = raw.get("who", "").strip()
    rest = {name: value or None for name, value in raw.items() if name not in ("who", "person", "team")}
    return {**rest, "person" if "@" in who or not who else "team": who or None}
