"""X-rays, and deployments side by side."""

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.missing import no_deployment
from appliance.access.permissions import may
from appliance.api.answers import answer, seconds_asked
from appliance.api.waiting import xray_done
from appliance.deploy import submit
from appliance.deploy.xray.after import of_deployment
from appliance.deploy.xray.compare import compare
from appliance.errors import Invalid
from appliance.model.xrays import Comparison, Report
from appliance.web.routes import actor_of, ctx_of, doc

WAIT = {"wait": "Seconds to wait until pages were read as well"}
WITH = {"with": "The id of the other deployment"}


@doc("Show the X-ray of a deployment", returns=Report, query=WAIT)
async def shown(request: Request) -> Response:
    ctx, seconds = ctx_of(request), seconds_asked(request)
    deployment = submit.find_deployment(ctx, request.path_params["deployment"])
    return answer(await xray_done(ctx, deployment, seconds) if seconds else of_deployment(ctx, deployment))


@doc("Compare two deployments", returns=Comparison, query=WITH)
def compared(request: Request) -> Response:
    ctx, other = ctx_of(request), request.query_params.get("with")
    if not other:
        raise Invalid({"with": "Name the deployment to compare with"})
    one = submit.find_deployment(ctx, request.path_params["deployment"])
    with_ = submit.find_deployment(ctx, other)
    if not may(actor_of(request), "deployments.read", with_.at):
        raise no_deployment()
    return answer(compare(ctx, one, with_))
