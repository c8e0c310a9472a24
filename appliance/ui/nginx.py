"""Settings, NGINX: what was edited by hand, and the two ways out."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.projects import edits
from appliance.ui.forms import do
from appliance.web.page import go, render
from appliance.web.routes import actor_of, ctx_of

PAGE = "/settings/nginx"


async def look(request: Request) -> Response:
    await do(partial(edits.look, ctx_of(request)))
    return go(PAGE, done="looked-at-nginx")


def restore_form(request: Request) -> Response:
    seen = edits.find_edit(ctx_of(request), request.path_params["host"])
    return render(request, "settings/restore-url.html", seen=seen, action=f"{PAGE}/{seen.edit.host}/restore", back=PAGE)


async def restore(request: Request) -> Response:
    await do(partial(edits.restore, ctx_of(request), actor_of(request), request.path_params["host"]))
    return go(PAGE, done="url-restored")


async def adopt(request: Request) -> Response:
    await do(partial(edits.adopt, ctx_of(request), actor_of(request), request.path_params["host"]))
    return go(PAGE, done="url-adopted")
