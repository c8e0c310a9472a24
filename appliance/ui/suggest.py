"""What could be meant by what is being typed, where there is too much to choose from a list."""

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from appliance.ui.places import suggested
from appliance.web.routes import ctx_of

OPTION = Markup('<option value="{}">')


def projects(request: Request) -> Response:
    typed = request.query_params.get("project", "")
    return HTMLResponse(Markup("").join(OPTION.format(name) for name, _ in suggested(ctx_of(request), typed)))


def targets(request: Request) -> Response:
    found = suggested(ctx_of(request), request.query_params.get("target", ""))
    return HTMLResponse(Markup("").join(OPTION.format(f"{name}/{kind}") for name, kinds in found for kind in kinds))
