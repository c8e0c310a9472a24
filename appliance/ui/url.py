"""One URL: what it is set to, and the way out."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.errors import HomeportError, Invalid
from appliance.model.fronts import PRIMARY, STATUSES
from appliance.model.guards import USER
from appliance.model.urls import NewUrl, Url, UrlPatch, main_of
from appliance.projects.find import find_url
from appliance.projects.url_settings import change_url
from appliance.projects.urls import add_url
from appliance.store import urls
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.places import addresses
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

FIELDS = ("redirect_to", "redirect_status", "allow", "user", "password")
WWW = "www."
KINDS = {
    301: "301: for good",
    302: "302: for now",
    307: "307: for now, and what was sent is sent again",
    308: "308: for good, and what was sent is sent again",
}


def show(request: Request) -> Response:
    return _show(request, Form(fields=FIELDS))


async def change(request: Request) -> Response:
    ctx, actor, host, raw = ctx_of(request), actor_of(request), request.path_params["host"], await typed(request)
    try:
        patch = UrlPatch.parse(_wanted(raw))
        await do(partial(change_url, ctx, actor, host, patch))
    except Wrong as why:
        return await do(partial(_show_wrong, request, raw, why))
    return go(f"/urls/{host}", done="url-changed")


async def add_other(request: Request) -> Response:
    """The same name with or without www, beside this one or leading to it."""
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    url = await do(partial(find_url, ctx, request.path_params["host"]))
    try:
        new = NewUrl.parse({"host": other_of(url), "redirect_to": url.host if raw.get("how") == "redirect" else None})
        await do(partial(add_url, ctx, actor, url.project, url.environment, new))
    except Wrong as why:
        return await do(partial(_show_wrong, request, raw, why))
    return go(f"/urls/{url.host}", done="url-added")


def other_of(url: Url) -> str:
    return url.host.removeprefix(WWW) if url.host.startswith(WWW) else f"{WWW}{url.host}"


def _wanted(raw: dict[str, str]) -> dict[str, object]:
    """What was typed, by the names of the API. Taking the password away has a button of its own."""
    if raw.get("end") == "password":
        return {"password": None}
    if "password" in raw and not raw["password"]:
        raise Invalid({"password": "Enter a password"})
    wanted: dict[str, object] = dict(raw)
    if "allow" in raw:
        wanted["allow"] = ",".join(raw["allow"].split())
    return wanted


def _show_wrong(request: Request, raw: dict[str, str], why: HomeportError) -> Response:
    return _show(request, again(raw, why, fields=FIELDS, about="redirect_to"), why.status)


def _show(request: Request, form: Form, code: int = 200) -> Response:
    ctx = ctx_of(request)
    url = find_url(ctx, request.path_params["host"])
    beside = urls.of_environment(ctx.db.read(), url.environment_id)
    main = main_of(beside)
    other = other_of(url)
    named = url.serves and "." in other and all(one.host != other for one in beside)
    return render(
        request,
        "urls/show.html",
        code,
        url=url,
        form=Form(_fields(url) | dict(form.raw), form.errors, form.fields),
        lead=addresses(ctx, (url,)).get(url.host, ""),
        is_main=main is not None and main.host == url.host,
        main=main,
        led_here=[one.host for one in beside if _leads_to(one, url, main)],
        targets=_targets(url, beside, main),
        kinds=[(status, KINDS[status]) for status in STATUSES],
        other=other if named else "",
    )


def _leads_to(one: Url, url: Url, main: Url | None) -> bool:
    to = main.host if main and one.front.redirect_to == PRIMARY else one.front.redirect_to
    return bool(to) and to == url.host


def _targets(url: Url, beside: tuple[Url, ...], main: Url | None) -> list[tuple[str, str]]:
    """Where it may lead, each with its words."""
    found = [("", "See the site")]
    if main and main.host != url.host:
        found.append((PRIMARY, f"Are led to the primary URL, now {main.host}"))
    return found + [(one.host, f"Are led to {one.host}") for one in beside if one.serves and one.host != url.host]


def _fields(url: Url) -> dict[str, str]:
    front = url.front
    return {
        "redirect_to": front.redirect_to,
        "redirect_status": str(front.redirect_status),
        "allow": "\n".join(front.allow),
        "user": front.user or USER,
    }
