"""URLs: everyone's, and one project's."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.permissions import may
from appliance.errors import Invalid
from appliance.model.urls import STATUSES, NewUrl, Url
from appliance.projects.find import find_project, find_url
from appliance.projects.urls import add_url, check_again, remove_url
from appliance.store import environments, nginx_edits, urls
from appliance.store.sight import sees
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.lists import Pages
from appliance.ui.places import Choices, addresses, choices, main_of, of_project
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of, sight_of

FIELDS = ("host", "target")


def index(request: Request) -> Response:
    return _show_all(request, Form(fields=FIELDS))


async def add(request: Request) -> Response:
    raw = await typed(request)
    try:
        await _add(request, raw)
    except Wrong as why:
        return await do(partial(_show_all, request, again(raw, why, fields=FIELDS, about="host"), why.status))
    return go("/urls", done="url-added")


def of_one_project(request: Request) -> Response:
    return _show_project(request, Form(fields=FIELDS))


async def add_to_project(request: Request) -> Response:
    raw = await typed(request)
    try:
        await _add(request, raw)
    except Wrong as why:
        return await do(partial(_show_project, request, again(raw, why, fields=FIELDS, about="host"), why.status))
    return go(f"/projects/{request.path_params['project']}/urls", done="url-added")


async def check(request: Request) -> Response:
    ctx, actor, host = ctx_of(request), actor_of(request), request.path_params["host"]
    url = await do(partial(check_again, ctx, actor, host))
    return go(_list_of(request, url), done="url-checked")


def remove_form(request: Request) -> Response:
    url = find_url(ctx_of(request), request.path_params["host"])
    return render(request, "urls/remove.html", url=url, action=f"/urls/{url.host}/remove", back=_list_of(request, url))


async def remove(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    url = find_url(ctx, request.path_params["host"])
    await do(partial(remove_url, ctx, actor, url.project, url.environment, url.host))
    return go(_list_of(request, url), done="url-removed")


def _show_all(request: Request, form: Form, code: int = 200) -> Response:
    ctx, asked, pages = ctx_of(request), request.query_params, Pages(request)
    q, status = asked.get("q", "").strip(), asked.get("status", "")
    chosen = status if status in STATUSES else ""
    seen = sight_of(request, "urls.read")
    page = urls.search(ctx.db.read(), q, status=chosen or None, cursor=pages.cursor, limit=pages.limit, sight=seen)
    return render(
        request,
        "urls/list.html",
        code,
        urls=page.items,
        leads=addresses(ctx, page.items),
        total=len(page.items),
        edited=_edited(request),
        q=q,
        chosen=chosen,
        form=form,
        choices=choices(ctx, sight_of(request, "urls.create")),
        action="/urls",
        **pages.links(page.next),
    )


def _show_project(request: Request, form: Form, code: int = 200) -> Response:
    ctx = ctx_of(request)
    project = find_project(ctx, request.path_params["project"])
    places, seen = of_project(ctx, project.id, sight_of(request, "projects.read")), sight_of(request, "urls.read")
    mine = tuple(url for url in urls.of_project(ctx.db.read(), project.id) if sees(seen, url.at))
    targets = tuple(place.name for place in places if may(actor_of(request), "urls.create", place.at))
    return render(
        request,
        "projects/urls.html",
        code,
        project=project,
        places=places,
        main=main_of(places),
        urls=mine,
        edited=_edited(request),
        leads=addresses(ctx, mine),
        form=form,
        choices=Choices(((project.name, targets),) if targets else (), many=False),
        action=f"/projects/{project.name}/urls",
    )


def _edited(request: Request) -> int:
    """How many files were edited by hand, for those who may do something about it."""
    return nginx_edits.undecided(ctx_of(request).db.read()) if may(actor_of(request), "settings.read") else 0


async def _add(request: Request, raw: dict[str, str]) -> Url:
    ctx, actor = ctx_of(request), actor_of(request)
    project, _, environment = (part.strip() for part in raw.get("target", "").partition("/"))
    found = environments.find(ctx.db.read(), project, environment)
    if found is None or not sees(sight_of(request, "projects.read"), found.at):
        raise Invalid(
            {"target": "Choose what it points at: a project and one of its environments, as in blog/production"}
        )
    new = NewUrl.parse({name: value for name, value in raw.items() if name != "target"})
    return await do(partial(add_url, ctx, actor, project, environment, new))


def _list_of(request: Request, url: Url) -> str:
    """Back to the list that it was done from."""
    here = f"/projects/{url.project}/urls"
    return here if request.headers.get("referer", "").endswith(here) else "/urls"
