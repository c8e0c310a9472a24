"""Contents: what files are made of, sent before they are deployed."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from appliance.api.answers import answer
from appliance.deploy.arriving import KIND, Arrived, Arriving
from appliance.errors import BadRequest, WrongKind
from appliance.web.routes import actor_of, ctx_of, doc
from appliance.web.upload import expected, spool

BATCH = f"A batch as `{KIND}`, perhaps gzip; see docs/delta.md"


@doc("Send contents of files, to be deployed in a moment", returns=Arrived, status=201, other=BATCH, kinds=(KIND,))
async def taken(request: Request) -> Response:
    """Each content is 32 bytes of SHA-256, 8 of its size, and its bytes, one after the other."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != KIND:
        raise WrongKind(f"A body of type {kind or 'none'} holds no contents.", todo=(f"Send a batch as {KIND}.",))
    packed = request.headers.get("content-encoding", "").strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip"):
        raise WrongKind(f"A batch packed as {packed} can't be read.", todo=("Pack it as gzip, or not at all.",))
    with Arriving(ctx_of(request), actor_of(request), expected(request), packed="gzip" in packed) as arriving:
        try:
            await spool(request, arriving)
        except ClientDisconnect as why:
            raise BadRequest("The batch ended before it was whole.", code="cut_off") from why
        return answer(await run_in_threadpool(arriving.finish), 201)
