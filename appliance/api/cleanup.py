"""Cleaning up: what it would free, and doing it."""

from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer
from appliance.deploy import retention
from appliance.deploy.retention import Cleanup
from appliance.web.routes import actor_of, ctx_of, doc


@doc("What a clean-up would free", returns=Cleanup)
def would_free(request: Request) -> Response:
    return answer(retention.would_free(ctx_of(request)))


@doc("Clean up: remove old releases and contents that nothing refers to; bundles stay", returns=Cleanup)
def cleaned_up(request: Request) -> Response:
    return answer(retention.clean_up(ctx_of(request), actor_of(request)))
