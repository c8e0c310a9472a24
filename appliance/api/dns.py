"""Records of ours in DNS, as they stand at the provider."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import nothing, page_of
from appliance.projects import dns_records
from appliance.projects.dns_records import DnsRecord
from appliance.web.routes import actor_of, ctx_of, doc


@doc("List the DNS records that Homeport made, as they are now", returns=DnsRecord, listing=True, whole=True)
async def listed(request: Request) -> Response:
    return page_of(await run_in_threadpool(dns_records.look, ctx_of(request)), None)


@doc("Have a record made again as it should be", status=204)
async def mended(request: Request) -> Response:
    await run_in_threadpool(dns_records.mend, ctx_of(request), actor_of(request), request.path_params["host"])
    return nothing()


@doc("Remove a record of ours that nothing uses any more", status=204)
async def removed(request: Request) -> Response:
    await run_in_threadpool(dns_records.remove, ctx_of(request), actor_of(request), request.path_params["host"])
    return nothing()
