"""Settings, DNS, records: those that Homeport made, as they are now."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance import dns
from appliance.errors import HomeportError
from appliance.projects import dns_records
from appliance.ui.forms import do
from appliance.web.page import go, render
from appliance.web.routes import actor_of, ctx_of

PAGE = "/settings/dns/records"


async def show(request: Request) -> Response:
    """What can't be read is said on the page: nobody is kept from it by a name server that is down."""
    ctx = ctx_of(request)
    wrong: HomeportError | None = None
    try:
        found = await do(partial(dns_records.look, ctx))
    except HomeportError as why:
        found, wrong = [], why
    chosen = dns.chosen(ctx.settings)
    managed = chosen not in (dns.NONE, "manual")
    return await do(partial(render, request, "settings/dns-records.html", found=found, wrong=wrong, managed=managed))


async def mend(request: Request) -> Response:
    await do(partial(dns_records.mend, ctx_of(request), actor_of(request), request.path_params["host"]))
    return go(PAGE, done="record-mended")


async def remove_form(request: Request) -> Response:
    host = request.path_params["host"]
    one = await do(partial(dns_records.find, ctx_of(request), host))
    action = f"{PAGE}/{host}/remove"
    return render(request, "settings/remove-record.html", one=one, action=action, back=PAGE)


async def remove(request: Request) -> Response:
    await do(partial(dns_records.remove, ctx_of(request), actor_of(request), request.path_params["host"]))
    return go(PAGE, done="record-removed")
