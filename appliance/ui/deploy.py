"""The straight line: a zip from the browser to a deployment."""

import re
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.admission import admit
from appliance.context import Context
from appliance.deploy import delta, releases
from appliance.deploy.submit import limits, upload
from appliance.errors import BadBundle, BadRequest, Conflict, HomeportError, Invalid, Lacking, OutOfRoom, TooLarge
from appliance.machine import archive
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.fields import Reader
from appliance.model.projects import NewProject
from appliance.model.trees import tree_of
from appliance.projects.create_project import create_project
from appliance.projects.find import find_environment
from appliance.ui.forms import do
from appliance.ui.places import MAIN
from appliance.web.body import list_of_files
from appliance.web.page import go, render
from appliance.web.routes import actor_of, ctx_of
from appliance.web.upload import Upload, receive

Refusal = (BadBundle, BadRequest, Conflict, Invalid, OutOfRoom, TooLarge)


async def start(request: Request) -> Response:
    """Take the zip, make the project where it is new, and go to see it go live."""
    ctx, taken = ctx_of(request), ""
    try:
        async with receive(request, ctx) as arrived:
            taken = arrived.filename
            deployment = await do(partial(_deploy, request, ctx, arrived))
    except Refusal as why:
        return _refused(request, why, taken or "The upload")
    where = f"/deployments/{deployment.id}"
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": where})
    return go(where)


async def start_files(request: Request) -> Response:
    """The same for a folder that script has hashed. Until what is missing is here, nothing is made."""
    ctx, raw = ctx_of(request), await list_of_files(request, ctx_of(request))
    reader = Reader({name: value for name, value in raw.items() if name != "files"} if isinstance(raw, dict) else raw)
    target, name = reader.text("target", optional=True), reader.text("name", optional=True)
    reader.done()
    try:
        deployment = await do(partial(_deploy_files, request, ctx, raw.get("files"), target, name))
    except Lacking:
        raise
    except Refusal as why:
        return _refused(request, why, name or "The folder")
    return Response(status_code=204, headers={"HX-Redirect": f"/deployments/{deployment.id}"})


def _deploy_files(request: Request, ctx: Context, files: object, target: str, name: str) -> Deployment:
    with releases.shelf_in_use():
        plan = delta.plan(ctx, actor_of(request), tree_of({"files": files}))
        project, _, environment = target.partition("/")
        place = _place(request, project, environment) if project else _made_place(request, ctx, name, "folder")
        return delta.deploy_tree(ctx, actor_of(request), place, plan)


def _deploy(request: Request, ctx: Context, arrived: Upload) -> Deployment:
    project, _, name = arrived.fields.get("target", "").partition("/")
    environment = _place(request, project, name) if project else _new_place(request, ctx, arrived)
    return upload(ctx, actor_of(request), environment, arrived.received, filename=arrived.filename)


def _place(request: Request, project: str, environment: str) -> Environment:
    """What a form names is looked for as what an address names: what may not be seen isn't there."""
    ctx = ctx_of(request)
    admit(ctx, actor_of(request), "deployments.create", {"project": project, "environment": environment})
    return find_environment(ctx, project, environment)


def _new_place(request: Request, ctx: Context, arrived: Upload) -> Environment:
    """A project named after the zip. The zip is looked at first: one that is refused leaves no project behind."""
    archive.inspect(arrived.received.path, limits(ctx))
    return _made_place(request, ctx, arrived.filename, "zip")


def _made_place(request: Request, ctx: Context, called: str, what: str) -> Environment:
    name = named_after(called)
    try:
        made = create_project(ctx, actor_of(request), NewProject.parse({"name": name}))
    except Conflict as why:
        here = f"To deploy to it, choose {name}, {MAIN} under “Deploy to”."
        raise Conflict(why.detail, code=why.code, todo=(here, f"For another project, rename the {what}.")) from why
    except Invalid as why:
        todo = (f"Make the project first, with a name of your choice, then drop the {what} on it.",)
        raise Conflict(f"No project can be named after {called or 'it'}.", code="no_name", todo=todo) from why
    return find_environment(ctx, made.name, MAIN)


def named_after(filename: str) -> str:
    """What a project is called that is made for a zip: `Blog Site (2).zip` makes `blog-site-2`."""
    words = re.sub(r"[^a-z0-9]+", "-", filename.lower().removesuffix(".zip"))
    return re.sub(r"^[^a-z]+", "", words)[:40].strip("-")


def _refused(request: Request, why: HomeportError, taken: str) -> Response:
    """In place where script asked, else as a page."""
    template = "deployments/_refused.html" if request.headers.get("hx-request") else "deployments/refused.html"
    return render(request, template, why.status, taken=taken, why=why)
