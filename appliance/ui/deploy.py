"""The straight line: a zip from the browser to a deployment."""

import re
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.context import Context
from appliance.deploy.submit import limits, upload
from appliance.errors import BadBundle, BadRequest, Conflict, HomeportError, Invalid, OutOfRoom, TooLarge
from appliance.machine import archive
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.projects import NewProject
from appliance.projects.create_project import create_project
from appliance.projects.find import find_environment
from appliance.ui.forms import do
from appliance.ui.places import MAIN
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


def _deploy(request: Request, ctx: Context, arrived: Upload) -> Deployment:
    project, _, name = arrived.fields.get("target", "").partition("/")
    environment = find_environment(ctx, project, name) if project else _new_place(request, ctx, arrived)
    return upload(ctx, actor_of(request), environment, arrived.received, filename=arrived.filename)


def _new_place(request: Request, ctx: Context, arrived: Upload) -> Environment:
    """A project named after the zip. The zip is looked at first: one that is refused leaves no project behind."""
    archive.inspect(arrived.received.path, limits(ctx))
    name = named_after(arrived.filename)
    try:
        made = create_project(ctx, actor_of(request), NewProject.parse({"name": name}))
    except Conflict as why:
        here = f"To deploy to it, choose {name}, {MAIN} under “Deploy to”."
        raise Conflict(why.detail, code=why.code, todo=(here, "For another project, rename the zip.")) from why
    except Invalid as why:
        todo = ("Make the project first, with a name of your choice, then drop the zip on it.",)
        raise Conflict(f"No project can be named after {arrived.filename}.", code="no_name", todo=todo) from why
    return find_environment(ctx, made.name, MAIN)


def named_after(filename: str) -> str:
    """What a project is called that is made for a zip: `Blog Site (2).zip` makes `blog-site-2`."""
    words = re.sub(r"[^a-z0-9]+", "-", filename.lower().removesuffix(".zip"))
    return re.sub(r"^[^a-z]+", "", words)[:40].strip("-")


def _refused(request: Request, why: HomeportError, taken: str) -> Response:
    """In place where script asked, else as a page."""
    template = "deployments/_refused.html" if request.headers.get("hx-request") else "deployments/refused.html"
    return render(request, template, why.status, taken=taken, why=why)
