"""One environment: what is live there, its history, going back, promoting, settings."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.permissions import may
from appliance.context import Context
from appliance.deploy.frozen import freeze, thaw
from appliance.deploy.submit import find_deployment, promote, rollback, rollback_targets
from appliance.deploy.variables import are_read, not_live_yet
from appliance.errors import Conflict
from appliance.model.deployments import Deployment, Promotion, Rollback
from appliance.model.environments import Environment, EnvironmentPatch, NewEnvironment, NewFreeze
from appliance.projects.create_environment import create_environment
from appliance.projects.delete import delete_environment
from appliance.projects.find import find_environment, find_project
from appliance.projects.frees import what_frees
from appliance.projects.rename import change_environment
from appliance.store import deployments
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.freeing import confirmed, freed
from appliance.ui.lists import Pages
from appliance.ui.places import Place, addresses, of_project, one_of
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of, sight_of

FIELDS = ("name", "backend")


def show(request: Request) -> Response:
    ctx, place, places = _place(request)
    asked = Pages(request, 20)
    page = deployments.newest(
        ctx.db.read(), project=place.project, environment=place.name, cursor=asked.cursor, limit=asked.limit
    )
    return render(
        request,
        "environments/show.html",
        place=place,
        places=places,
        deployments=page.items,
        leads=addresses(ctx, place.urls),
        waiting=not_live_yet(ctx, place.environment) if may(actor_of(request), "variables.read", place.at) else (),
        read=are_read(ctx, place.environment),
        total=deployments.count_in(ctx.db.read(), (place.environment.id,)),
        most=ctx.settings.upload_max,
        **asked.links(page.next),
    )


def new_form(request: Request) -> Response:
    return _show_new(request, Form(fields=FIELDS))


async def create(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    project = request.path_params["project"]
    try:
        new = NewEnvironment.parse(raw)
        made = await do(partial(create_environment, ctx, actor, project, new))
    except Wrong as why:
        return await do(partial(_show_new, request, again(raw, why, fields=FIELDS, about="name"), why.status))
    return go(f"/projects/{made.project}/environments/{made.name}", done="environment-made")


def settings_form(request: Request) -> Response:
    _, place, _ = _place(request)
    return _show_settings(request, Form({"name": place.name, "backend": place.backend}, fields=FIELDS))


async def change(request: Request) -> Response:
    ctx, actor, raw, there = ctx_of(request), actor_of(request), await typed(request), request.path_params
    try:
        patch = EnvironmentPatch.parse(raw)
        made = await do(partial(change_environment, ctx, actor, there["project"], there["environment"], patch))
    except Wrong as why:
        return await do(partial(_show_settings, request, again(raw, why, fields=FIELDS, about="name"), why.status))
    return go(f"/projects/{made.project}/environments/{made.name}/settings", done="environment-changed")


def delete_form(request: Request) -> Response:
    return _ask_delete(request, Form(fields=("confirm",)))


async def delete(request: Request) -> Response:
    ctx, actor, raw, there = ctx_of(request), actor_of(request), await typed(request), request.path_params
    try:
        confirmed(raw, there["environment"])
        await do(partial(delete_environment, ctx, actor, there["project"], there["environment"]))
    except Wrong as why:
        form = again(raw, why, fields=("confirm",), about="confirm")
        return await do(partial(_ask_delete, request, form, why.status))
    return go(f"/projects/{there['project']}", done="environment-deleted")


def freeze_form(request: Request) -> Response:
    return _ask_freeze(request, Form(fields=("message",)))


async def freeze_it(request: Request) -> Response:
    ctx, actor, raw, there = ctx_of(request), actor_of(request), await typed(request), request.path_params
    environment = find_environment(ctx, there["project"], there["environment"])
    try:
        await do(partial(freeze, ctx, actor, environment, NewFreeze.parse(raw)))
    except Wrong as why:
        form = again(raw, why, fields=("message",), about="message")
        return await do(partial(_ask_freeze, request, form, why.status))
    return go(f"/projects/{environment.project}/environments/{environment.name}", done="frozen")


async def thaw_it(request: Request) -> Response:
    ctx, actor, there = ctx_of(request), actor_of(request), request.path_params
    environment = find_environment(ctx, there["project"], there["environment"])
    await do(partial(thaw, ctx, actor, environment))
    return go(f"/projects/{environment.project}/environments/{environment.name}", done="thawed")


def rollback_form(request: Request) -> Response:
    ctx, place, _ = _place(request)
    choices = rollback_targets(ctx, place.environment)
    if place.live is None or not choices:
        raise Conflict(f"Nothing earlier went live in {place.environment.place}.", code="nothing_earlier")
    choices, chosen = _choose(ctx, place.environment, choices, request.query_params.get("to", ""))
    return render(
        request,
        "environments/rollback.html",
        place=place,
        choices=choices,
        chosen=chosen,
        action=f"{_base(place)}/rollback",
        back=_base(place),
    )


async def roll_back(request: Request) -> Response:
    ctx, actor, raw, there = ctx_of(request), actor_of(request), await typed(request), request.path_params
    wish = Rollback.parse(raw)
    environment = find_environment(ctx, there["project"], there["environment"])
    deployment = await do(partial(rollback, ctx, actor, environment, wish.to))
    return go(f"/deployments/{deployment.id}")


def promote_form(request: Request) -> Response:
    _, place, places = _place(request)
    name = request.query_params.get("from", "")
    source = next((other for other in places if other.name == name and other.live), None)
    if source is None or source.name == place.name:
        what = f"Nothing is live in {place.project} {name}, so there is nothing to promote."
        raise Conflict(what, code="nothing_live")
    return render(
        request,
        "environments/promote.html",
        place=place,
        source=source,
        action=f"{_base(place)}/promote",
        back=_base(source),
    )


async def promoted(request: Request) -> Response:
    ctx, actor, raw, there = ctx_of(request), actor_of(request), await typed(request), request.path_params
    wish = Promotion.parse(raw)
    environment = find_environment(ctx, there["project"], there["environment"])
    source = find_environment(ctx, there["project"], wish.from_)
    deployment = await do(partial(promote, ctx, actor, environment, source))
    return go(f"/deployments/{deployment.id}")


def _show_new(request: Request, form: Form, code: int = 200) -> Response:
    project = find_project(ctx_of(request), request.path_params["project"])
    return render(request, "environments/new.html", code, project=project, form=form, automatic=True)


def _show_settings(request: Request, form: Form, code: int = 200) -> Response:
    _, place, _ = _place(request)
    return render(request, "environments/settings.html", code, place=place, form=form, automatic=False)


def _ask_delete(request: Request, form: Form, code: int = 200) -> Response:
    ctx, place, _ = _place(request)
    return render(
        request,
        "environments/delete.html",
        code,
        place=place,
        form=form,
        freed=freed(what_frees(ctx, (place.environment,))),
        action=f"{_base(place)}/delete",
        back=_base(place),
    )


def _ask_freeze(request: Request, form: Form, code: int = 200) -> Response:
    _, place, _ = _place(request)
    return render(
        request,
        "environments/freeze.html",
        code,
        place=place,
        form=form,
        action=f"{_base(place)}/freeze",
        back=_base(place),
    )


def _choose(
    ctx: Context, environment: Environment, choices: tuple[Deployment, ...], asked: str
) -> tuple[tuple[Deployment, ...], str]:
    """What was asked for is chosen and among the choices, also where a later deployment had the same release."""
    if not asked or asked in {one.id for one in choices}:
        return choices, asked or choices[0].id
    wanted = find_deployment(ctx, asked)
    if wanted.status != "succeeded" or wanted.environment_id != environment.id:
        return choices, choices[0].id
    others = tuple(one for one in choices if one.bundle != wanted.bundle)
    return tuple(sorted((wanted, *others), key=lambda one: one.id, reverse=True)), wanted.id


def _place(request: Request) -> tuple[Context, Place, tuple[Place, ...]]:
    ctx, there = ctx_of(request), request.path_params
    environment = find_environment(ctx, there["project"], there["environment"])
    places = of_project(ctx, environment.project_id, sight_of(request, "projects.read"), acts=True)
    return ctx, one_of(places, environment.name), places


def _base(place: Place) -> str:
    return f"/projects/{place.project}/environments/{place.name}"
