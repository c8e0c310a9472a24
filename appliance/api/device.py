"""Signing in at a terminal by a yes in the browser, as RFC 8628 has it."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import device
from appliance.api.answers import answer, body
from appliance.api.keys import FreshKeyShape, fresh_shape
from appliance.model.device import DeviceCode, NewDevice
from appliance.web.routes import ctx_of, doc


@dataclass(frozen=True)
class BegunShape:
    device_code: Annotated[str, "The terminal's own secret, to ask with"]
    user_code: Annotated[str, "The code to show"]
    verification_uri: Annotated[str, "Where it is typed in a browser"]
    verification_uri_complete: Annotated[str, "The same, with the code"]
    expires_in: Annotated[int, "Seconds for which it works"]
    interval: Annotated[int, "Seconds to wait between two questions"]


@doc("Begin to sign in at a terminal", body=NewDevice, returns=BegunShape, status=201)
async def begun(request: Request) -> Response:
    new, ip = NewDevice.parse(await body(request)), request.scope["state"]["ip"]
    made = await run_in_threadpool(device.begin, ctx_of(request), new, ip=ip)
    whole = f"{made.address}?code={made.user_code}"
    return answer(BegunShape(made.device_code, made.user_code, made.address, whole, made.lasts, made.wait), 201)


@doc("Ask whether somebody said yes, and get the key", body=DeviceCode, returns=FreshKeyShape, status=201)
async def fetched(request: Request) -> Response:
    """Until then 400: `authorization_pending`, `slow_down`, `access_denied` or `expired_token`."""
    ctx, given = ctx_of(request), DeviceCode.parse(await body(request))
    ip = request.scope["state"]["ip"]
    fresh = await run_in_threadpool(device.fetch, ctx, given.device_code, ip=ip)
    return answer(fresh_shape(ctx.db.read(), fresh), 201)
