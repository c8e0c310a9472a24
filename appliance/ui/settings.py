"""Settings: this appliance, NGINX, DNS."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from appliance.backends import load
from appliance.context import Context
from appliance.deploy.places import default_backend
from appliance.dns import provider
from appliance.errors import HomeportError
from appliance.model.checks import Check
from appliance.projects import domain, edits
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import ABOUT, About
from appliance.store import domains, nginx_edits, saved, urls
from appliance.ui.forms import Wrong, again, do, typed
from appliance.web import words
from appliance.web.look import LONG, look
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

GENERAL = ("url", "backend", "bundle_names")
DNS = ("cloudflare_token", "dns_target", "cloudflare_proxied")
FIXED = ("data", "host", "port", "upload_max", "bundle_max_files", "bundle_max_size", "workers")
NGINX = ("nginx_sites_available", "nginx_sites_enabled", "nginx_conf", "nginx_test", "nginx_reload", "nginx_listen")
NGINX_SAYS = {
    "ok": "NGINX is in order.",
    "warn": "NGINX works, with something to look at.",
    "failed": "NGINX can't be used as it is.",
    "off": "There is nothing to test.",
}
DNS_SAYS = {
    "ok": "The token works.",
    "warn": "The token works, with something to look at.",
    "failed": "The token can't do all that is needed.",
    "off": "There is no token to test.",
}
RANKS = ("off", "ok", "warn", "failed")


@dataclass(frozen=True)
class Tested:
    """What the Test button found, and how long that took."""

    found: tuple[Check, ...]
    took: float
    headings: Mapping[str, str]

    @property
    def worst(self) -> str:
        return max((check.status for check in self.found), key=RANKS.index, default="off")

    @property
    def heading(self) -> str:
        return self.headings[self.worst]


def general(request: Request) -> Response:
    return _show_general(request, _as_saved(ctx_of(request), GENERAL))


async def save_general(request: Request) -> Response:
    raw = await typed(request)
    try:
        await _save(request, {name: raw.get(name, "") for name in GENERAL})
    except Wrong as why:
        return await do(partial(_show_general, request, again(raw, why, fields=GENERAL, about="url"), why.status))
    return go("/settings", done="saved")


def checks(request: Request) -> Response:
    """For a page that could not wait."""
    return render(request, "settings/_checks.html", found=look(request, patience=LONG))


def nginx(request: Request) -> Response:
    return _show_nginx(request)


def test_nginx(request: Request) -> Response:
    ctx = ctx_of(request)
    return _show_nginx(request, _test(load("nginx", ctx.settings).checks, NGINX_SAYS))


def dns(request: Request) -> Response:
    return _show_dns(request, _as_saved(ctx_of(request), DNS))


async def save_dns(request: Request) -> Response:
    raw = await typed(request)
    wanted = {name: raw.get(name, "") for name in ("dns_target", "cloudflare_proxied")}
    wanted["cloudflare_proxied"] = wanted["cloudflare_proxied"] or "false"
    if raw.get("cloudflare_token"):
        wanted["cloudflare_token"] = raw["cloudflare_token"]
    try:
        await _save(request, wanted)
    except Wrong as why:
        return await do(partial(_show_dns, request, again(raw, why, fields=DNS, about="cloudflare_token"), why.status))
    return go("/settings/dns", done="saved")


async def test_dns(request: Request) -> Response:
    """What was typed is tested, or what is in force where nothing was."""
    ctx, raw = ctx_of(request), await typed(request)
    ask = partial(_ask_dns, ctx, raw.get("cloudflare_token", "").strip())
    tested = await do(partial(_test, ask, DNS_SAYS))
    form = Form({**raw, "cloudflare_token": ""}, fields=DNS)
    return await do(partial(_show_dns, request, form, tested=tested))


def disconnect_form(request: Request) -> Response:
    return render(request, "settings/disconnect.html", action="/settings/dns/disconnect", back="/settings/dns")


async def disconnect(request: Request) -> Response:
    await _save(request, {"cloudflare_token": None})
    return go("/settings/dns", done="saved")


async def _save(request: Request, wanted: Mapping[str, str | None]) -> None:
    """Only what differs from what is in force is saved, so that the environment keeps counting for the rest."""
    ctx, actor = ctx_of(request), actor_of(request)
    now = _as_saved(ctx, tuple(wanted)).raw
    changed = {name: value for name, value in wanted.items() if ABOUT[name].secret or value != now.get(name)}
    patch = SettingsPatch.parse(changed)
    if patch.values:
        await do(partial(change_settings, ctx, actor, patch))


def _as_saved(ctx: Context, names: tuple[str, ...]) -> Form:
    return Form({name: _text(ctx, name) for name in names if not ABOUT[name].secret}, fields=names)


def _show_general(request: Request, form: Form, code: int = 200) -> Response:
    ctx = ctx_of(request)
    return render(
        request,
        "settings/general.html",
        code,
        form=form,
        automatic=default_backend(ctx) if ctx.settings.backend == "auto" else "",
        found=look(request),
        fixed=_fixed(ctx, FIXED),
    )


def _show_nginx(request: Request, tested: Tested | None = None) -> Response:
    ctx = ctx_of(request)
    return render(
        request,
        "settings/nginx.html",
        tested=tested,
        edits=nginx_edits.everyone(ctx.db.read()),
        whole=edits.tested(ctx),
        domain=domains.find(ctx.db.read()),
        wanted_domain=domain.wanted(ctx),
        fixed=_fixed(ctx, NGINX),
    )


def _show_dns(request: Request, form: Form, code: int = 200, tested: Tested | None = None) -> Response:
    ctx = ctx_of(request)
    at, by = saved.rows(ctx.db.read()).get("cloudflare_token", ("", ""))
    return render(
        request,
        "settings/dns.html",
        code,
        form=form,
        tested=tested,
        saved_token=bool(at),
        token_hint=_token_hint(ctx, at, by),
    )


def _token_hint(ctx: Context, at: str, by: str) -> str:
    if at:
        when = words.since(datetime.fromisoformat(at), ctx.now())
        return f"Set {when} by {by}. It is never shown; type a new one to replace it."
    if ctx.settings.cloudflare_token:
        return "Set by HOMEPORT_CLOUDFLARE_TOKEN. One that is saved here comes first."
    return "Made in Cloudflare under My Profile, API Tokens. It needs “Zone, Zone, Read” and “Zone, DNS, Edit”."


def _ask_dns(ctx: Context, token: str) -> list[Check]:
    settings = replace(ctx.settings, cloudflare_token=token) if token else ctx.settings
    asked = provider(settings, ctx.instance)
    if asked is None:
        return [Check("dns", "off", "No token is typed here, saved, or set in the environment.")]
    return asked.check(tuple(url.host for url in urls.every(ctx.db.read())))


def _test(look: Callable[[], Sequence[Check]], says: Mapping[str, str]) -> Tested:
    began = monotonic()
    try:
        found = tuple(look())
    except HomeportError as why:
        found = (Check("test", "failed", why.detail, " ".join(why.todo)),)
    return Tested(found, monotonic() - began, says)


def _fixed(ctx: Context, names: tuple[str, ...]) -> list[tuple[About, str]]:
    return [(ABOUT[name], _text(ctx, name)) for name in names]


def _text(ctx: Context, name: str) -> str:
    value = getattr(ctx.settings, name)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return " ".join(value)
    if name.endswith("_max") or name == "bundle_max_size":
        return words.limit(value)
    return f"{value:,}" if isinstance(value, int) and name != "port" else str(value)
