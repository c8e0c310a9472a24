"""What could be meant by what is being typed, where there is too much to choose from a list."""

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from appliance.ui.places import suggested
from appliance.web.routes import ctx_of, sight_of

OPTION = Markup('<option value="{}">')


def projects(request: Request) -> Response:
    typed, seen = request.query_params.get("project", ""), sight_of(request, "projects.read")
    return HTMLResponse(Markup("").join(OPTION.format(name) for name, _ in suggested(ctx_of(request), typed, seen)))


def targets(request: Request) -> Response:
    """Where something can be done: the field says what."""
    wanted = "urls.create" if request.query_params.get("for") == "url" else "deployments.create"
    found = suggested(ctx_of(request), request.query_params.get("target", ""), sight_of(request, wanted))
    return HTMLResponse(Markup("").join(OPTION.format(f"{name}/{kind}") for name, kinds in found for kind in kinds))
