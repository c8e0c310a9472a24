"""Settings: this appliance, NGINX."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from appliance.backends import load
from appliance.context import Context
from appliance.deploy.places import default_backend
from appliance.errors import HomeportError
from appliance.model.checks import Check
from appliance.projects import domain, edits
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import ABOUT, About
from appliance.store import domains, nginx_edits
from appliance.ui.forms import Wrong, again, do, typed
from appliance.web import words
from appliance.web.look import LONG, look
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

GENERAL = ("url", "backend", "bundle_names")
FIXED = ("data", "host", "port", "upload_max", "bundle_max_files", "bundle_max_size", "workers")
NGINX = ("nginx_sites_available", "nginx_sites_enabled", "nginx_conf", "nginx_test", "nginx_reload", "nginx_listen")
NGINX_SAYS = {
    "ok": "NGINX is in order.",
    "warn": "NGINX works, with something to look at.",
    "failed": "NGINX can't be used as it is.",
    "off": "There is nothing to test.",
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
