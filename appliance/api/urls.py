"""URLs."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer, body, nothing, one_of, page_asked, page_of, seconds_asked
from appliance.api.shapes import UrlShape, of_url
from appliance.api.waiting import url_settled
from appliance.model.urls import STATUSES, NewUrl, UrlPatch, url_host
from appliance.projects.find import find_environment, find_url
from appliance.projects.url_settings import change_url
from appliance.projects.urls import add_url, check_again, remove_url
from appliance.store import urls
from appliance.web.remembered import remembered
from appliance.web.routes import actor_of, ctx_of, doc, sight_of

SEARCH = {"q": "Only those with this text in the name", "status": "Only those with this status"}
WAIT = {"wait": "Seconds to wait until it is active or failed"}


@doc("List all URLs", returns=UrlShape, listing=True, query=SEARCH)
@remembered
async def listed(request: Request) -> Response:
    ctx, (cursor, limit) = ctx_of(request), page_asked(request)
    q, status = request.query_params.get("q", ""), one_of(request, "status", STATUSES)
    page = urls.search(
        ctx.db.read(), q, status=status, cursor=cursor, limit=limit, sight=sight_of(request, "urls.read")
    )
    return page_of((of_url(url) for url in page.items), page.next)


@doc("List an environment's URLs", returns=UrlShape, listing=True)
async def of_environment(request: Request) -> Response:
    ctx, place, (cursor, limit) = ctx_of(request), request.path_params, page_asked(request)
    environment = find_environment(ctx, place["project"], place["environment"])
    page = urls.search(ctx.db.read(), environment_id=environment.id, cursor=cursor, limit=limit)
    return page_of((of_url(url) for url in page.items), page.next)


@doc("Add a URL", body=NewUrl, returns=UrlShape, status=201, query=WAIT)
async def added(request: Request) -> Response:
    ctx, place = ctx_of(request), request.path_params
    seconds = seconds_asked(request)
    new = NewUrl.parse(await body(request))
    url = await run_in_threadpool(add_url, ctx, actor_of(request), place["project"], place["environment"], new)
    if seconds:
        url = await url_settled(ctx, url.host, seconds)
    return answer(of_url(url), 201)


@doc("Try again to put a URL in force", returns=UrlShape, status=202, query=WAIT)
async def checked(request: Request) -> Response:
    ctx, seconds = ctx_of(request), seconds_asked(request)
    url = await run_in_threadpool(check_again, ctx, actor_of(request), host_of(request))
    if seconds:
        url = await url_settled(ctx, url.host, seconds)
    return answer(of_url(url), 202)


@doc("One URL", returns=UrlShape)
def shown(request: Request) -> Response:
    return answer(of_url(find_url(ctx_of(request), host_of(request))))


@doc(
    "Change what a URL is set to, at once; what is left out stays as it is", body=UrlPatch, returns=UrlShape, query=WAIT
)
async def changed(request: Request) -> Response:
    ctx, seconds = ctx_of(request), seconds_asked(request)
    patch = UrlPatch.parse(await body(request))
    url = await run_in_threadpool(change_url, ctx, actor_of(request), host_of(request), patch)
    if seconds:
        url = await url_settled(ctx, url.host, seconds)
    return answer(of_url(url))


@doc("Remove a URL", status=204)
def removed(request: Request) -> Response:
    place = request.path_params
    remove_url(ctx_of(request), actor_of(request), place["project"], place["environment"], host_of(request))
    return nothing()


def host_of(request: Request) -> str:
    """In the spelling that is kept, however it was typed."""
    typed: str = request.path_params["host"]
    try:
        return url_host(typed)
    except ValueError:
        return typed
