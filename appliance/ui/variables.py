"""Variables of a project and of an environment: a list, one of them, and a `.env` file."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.deploy.submit import with_variables
from appliance.deploy.variables import are_read, not_live_yet
from appliance.model.variables import Import, Imported, NewValue, NewVariable, ShownVariable, VariablesPatch
from appliance.projects.find import find_environment
from appliance.projects.variables import (
    Holder,
    change_variables,
    find_variable,
    history,
    holder_of,
    import_variables,
    in_force,
    remove_variable,
    set_variable,
    shared_by,
)
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.places import main_of, of_environments, of_project
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of, sight_of

FIELDS = ("name", "value", "secret")


def show(request: Request) -> Response:
    return _show(request, Form(fields=FIELDS))


async def add(request: Request) -> Response:
    ctx, actor, raw, holder = ctx_of(request), actor_of(request), await typed(request), _holder(request)
    try:
        new = NewVariable.parse(_entered(raw))
        await do(partial(change_variables, ctx, actor, holder, VariablesPatch((new,))))
    except Wrong as why:
        return await do(partial(_show, request, again(_withheld(raw), why, fields=FIELDS, about="name"), why.status))
    return go(_base(request), done="variable-saved")


def edit_form(request: Request) -> Response:
    found = _variable(request)
    raw = {"value": found.value or "", "secret": str(found.secret).lower()}
    return _edit(request, Form(raw))


async def save(request: Request) -> Response:
    ctx, actor, raw, holder = ctx_of(request), actor_of(request), await typed(request), _holder(request)
    try:
        new = NewValue.parse(_as_it_was(_variable(request), _entered(raw)))
        await do(partial(set_variable, ctx, actor, holder, request.path_params["name"], new))
    except Wrong as why:
        form = again(_withheld(raw), why, fields=(), about="value")
        return await do(partial(_edit, request, form, why.status))
    return go(_base(request), done="variable-saved")


def remove_form(request: Request) -> Response:
    found, holder = _variable(request), _holder(request)
    return render(
        request,
        "variables/remove.html",
        one=found,
        holder=holder,
        action=f"{_one(request)}/remove",
        back=_base(request),
    )


async def remove(request: Request) -> Response:
    name = request.path_params["name"]
    await do(partial(remove_variable, ctx_of(request), actor_of(request), _holder(request), name))
    return go(_base(request), done="variable-removed")


def import_form(request: Request) -> Response:
    return _import(request, Form(fields=("text",)))


async def import_file(request: Request) -> Response:
    """Looked at first: the same page, with what was entered and what it would change."""
    ctx, actor, raw, holder = ctx_of(request), actor_of(request), await typed(request), _holder(request)
    dry_run = raw.get("act") != "import"
    try:
        new = Import.parse({name: raw[name] for name in ("text", "secret") if name in raw})
        found = await do(partial(import_variables, ctx, actor, holder, new, dry_run=dry_run))
    except Wrong as why:
        return await do(partial(_import, request, again(raw, why, fields=("text",), about="text"), code=why.status))
    if dry_run:
        return await do(partial(_import, request, Form(raw, fields=("text",)), found))
    return go(_base(request), done="variables-imported")


async def apply(request: Request) -> Response:
    ctx, there = ctx_of(request), request.path_params
    environment = find_environment(ctx, there["project"], there["environment"])
    deployment = await do(partial(with_variables, ctx, actor_of(request), environment))
    return go(f"/deployments/{deployment.id}")


def _show(request: Request, form: Form, code: int = 200) -> Response:
    ctx, holder = ctx_of(request), _holder(request)
    environment = holder.environment
    found = in_force(ctx, holder)
    own = [one for one in found if one.shared == (environment is None)]
    return render(
        request,
        "variables/list.html",
        code,
        own=own,
        shared=shared_by(ctx, holder.project) if environment else (),
        names={one.name for one in own},
        waiting=not_live_yet(ctx, environment) if environment else (),
        read=are_read(ctx, environment) if environment else True,
        history=history(ctx, holder),
        form=form,
        base=_base(request),
        **_around(request, holder),
    )


def _edit(request: Request, form: Form, code: int = 200) -> Response:
    return render(
        request,
        "variables/edit.html",
        code,
        one=_variable(request),
        holder=_holder(request),
        form=form,
        action=_one(request),
        back=_base(request),
    )


def _import(request: Request, form: Form, found: Imported | None = None, code: int = 200) -> Response:
    holder = _holder(request)
    return render(
        request,
        "variables/import.html",
        code,
        form=form,
        found=found,
        base=_base(request),
        **_around(request, holder),
    )


def _around(request: Request, holder: Holder) -> dict[str, object]:
    """What the heads of the pages want."""
    ctx, project, environment = ctx_of(request), holder.project, holder.environment
    if environment:
        return {"holder": holder, "place": of_environments(ctx, (environment,))[0], "project": project}
    places = of_project(ctx, project.id, sight_of(request, "projects.read"), acts=True)
    return {"holder": holder, "place": None, "project": project, "places": places, "main": main_of(places)}


def _entered(raw: dict[str, str]) -> dict[str, str]:
    """Browsers end the lines of a text in their own way; a box that isn't ticked sends nothing."""
    return {"secret": "false", **raw, "value": _lines(raw.get("value", ""))}


def _as_it_was(found: ShownVariable, entered: dict[str, str]) -> dict[str, str]:
    """A secret's value isn't there to be sent back, and of another's a form may have lost the ends of lines."""
    untouched = entered["value"] == ("" if found.secret else _lines(found.value or ""))
    return {name: value for name, value in entered.items() if name != "value" or not untouched}


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _withheld(raw: dict[str, str]) -> dict[str, str]:
    """A secret is not sent back, even where something else has to be corrected."""
    return {name: value for name, value in raw.items() if name != "value" or "secret" not in raw}


def _variable(request: Request) -> ShownVariable:
    return find_variable(ctx_of(request), _holder(request), request.path_params["name"])


def _holder(request: Request) -> Holder:
    return holder_of(ctx_of(request), request.path_params["project"], request.path_params.get("environment"))


def _base(request: Request) -> str:
    there = request.path_params
    within = f"/environments/{there['environment']}" if "environment" in there else ""
    return f"/projects/{there['project']}{within}/variables"


def _one(request: Request) -> str:
    return f"{_base(request).removesuffix('s')}/{request.path_params['name']}"
