"""Cleaning up: what goes, said before it does, and how much is kept."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.deploy.retention import clean_up, would_free
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.ui.forms import Wrong, again, do, typed
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

FIELDS = ("releases_kept",)


def show(request: Request) -> Response:
    return _show(request, Form({"releases_kept": str(ctx_of(request).settings.releases_kept)}, fields=FIELDS))


async def act(request: Request) -> Response:
    await do(partial(clean_up, ctx_of(request), actor_of(request)))
    return go("/settings/cleanup", done="cleaned-up")


async def keep(request: Request) -> Response:
    raw = await typed(request)
    try:
        patch = SettingsPatch.parse({name: raw.get(name, "") for name in FIELDS})
        await do(partial(change_settings, ctx_of(request), actor_of(request), patch))
    except Wrong as why:
        form = again(raw, why, fields=FIELDS, about="releases_kept")
        return await do(partial(_show, request, form, why.status))
    return go("/settings/cleanup", done="saved")


def _show(request: Request, form: Form, code: int = 200) -> Response:
    return render(request, "settings/cleanup.html", code, form=form, would=would_free(ctx_of(request)))
