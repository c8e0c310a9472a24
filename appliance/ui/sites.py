"""How an environment answers: settings for its next deployments, what they would change, and what stands before it."""

from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.errors import HomeportError, Invalid
from appliance.model.environments import Environment
from appliance.model.guards import USER, GuardPatch
from appliance.model.site_settings import SiteSettings
from appliance.projects.answering import change_guard, change_site
from appliance.projects.find import find_environment
from appliance.projects.preview import preview
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.places import of_environments
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

FIELDS = ("clean_urls", "fallback", "pages", "fingerprinted", "bridge_hours", "user", "password", "maintenance")
SWITCHES = ("clean_urls", "fallback")  # a box that isn't ticked sends nothing
ENDS = ("password", "maintenance")
MISSING = {"password": "Enter a password", "maintenance": "Enter what visitors should read"}


def show(request: Request) -> Response:
    return _show(request, _saved(request), Form(fields=FIELDS))


async def save(request: Request) -> Response:
    ctx, actor, there, raw = ctx_of(request), actor_of(request), request.path_params, await typed(request)
    try:
        wanted = _wanted(request, raw)
        await do(partial(change_site, ctx, actor, there["project"], there["environment"], wanted))
    except Wrong as why:
        return await do(partial(_show_wrong, request, raw, why))
    return go(f"{_base(request)}/site", done="site-saved")


async def look(request: Request) -> Response:
    """Nothing is saved: the same page, with what was typed and what it would change."""
    raw = await typed(request)
    try:
        wanted = _wanted(request, raw)
    except Wrong as why:
        return await do(partial(_show_wrong, request, raw, why))
    form = Form({**raw, "path": raw.get("path", "")}, fields=FIELDS)
    return await do(partial(_show, request, wanted, form))


async def guard(request: Request) -> Response:
    ctx, actor, there, raw = ctx_of(request), actor_of(request), request.path_params, await typed(request)
    try:
        patch = GuardPatch.parse({raw["end"]: None} if raw.get("end") in ENDS else _filled_in(raw))
        await do(partial(change_guard, ctx, actor, there["project"], there["environment"], patch))
    except Wrong as why:
        return await do(partial(_show_wrong, request, raw, why))
    return go(f"{_base(request)}/site", done="guard-changed")


def _wanted(request: Request, raw: dict[str, str]) -> SiteSettings:
    """What was typed; what this page does not show stays as it is."""
    sent = {name: value for name, value in raw.items() if name != "path"}
    made = SiteSettings.parse(dict.fromkeys(SWITCHES, "false") | sent)
    return replace(made, block=_saved(request).block)


def _filled_in(raw: dict[str, str]) -> dict[str, str]:
    """A form that was sent empty asks for nothing; taking something away has a button of its own."""
    missing = {name: text for name, text in MISSING.items() if name in raw and not raw[name].strip()}
    if missing:
        raise Invalid(missing)
    return raw


def _show_wrong(request: Request, raw: dict[str, str], why: HomeportError) -> Response:
    return _show(request, _saved(request), again(raw, why, fields=FIELDS, about="password"), why.status)


def _show(request: Request, settings: SiteSettings, form: Form, code: int = 200) -> Response:
    ctx, environment = ctx_of(request), _environment(request)
    raw = _fields(settings) | {"user": environment.guard.user or USER} | dict(form.raw)
    return render(
        request,
        "environments/site.html",
        code,
        place=of_environments(ctx, (environment,))[0],
        guard=environment.guard,
        form=Form(raw, form.errors, form.fields),
        found=preview(ctx, environment, settings, str(form.raw.get("path", ""))),
        looked="path" in form.raw,
    )


def _fields(settings: SiteSettings) -> dict[str, str]:
    return {
        "clean_urls": str(settings.clean_urls).lower(),
        "fallback": str(settings.fallback).lower(),
        "pages": settings.pages,
        "fingerprinted": settings.fingerprinted,
        "bridge_hours": str(settings.bridge_hours),
    }


def _saved(request: Request) -> SiteSettings:
    return SiteSettings.of(_environment(request).site)


def _environment(request: Request) -> Environment:
    return find_environment(ctx_of(request), request.path_params["project"], request.path_params["environment"])


def _base(request: Request) -> str:
    there = request.path_params
    return f"/projects/{there['project']}/environments/{there['environment']}"
