"""Settings, e-mail: the server that messages go out by, and whether they do."""

from dataclasses import replace
from functools import partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from appliance.access import mail
from appliance.access.permissions import may
from appliance.context import Context
from appliance.errors import HomeportError
from appliance.model.checks import Check
from appliance.projects.settings import SettingsPatch, change_settings
from appliance.settings import Settings, parse_setting
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.hints import secret_hint
from appliance.ui.settings import Tested
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

HERE = "/settings/mail"
PLAIN = ("smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_from")
FIELDS = (*PLAIN, "smtp_password")
SAYS = {"ok": "A message was sent.", "failed": "No message can be sent with these settings."}


def show(request: Request) -> Response:
    return _show(request, _as_saved(ctx_of(request)))


async def save(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        patch = SettingsPatch.parse(_changed(ctx, raw))
        if patch.values:
            await do(partial(change_settings, ctx, actor, patch))
    except Wrong as why:
        return await do(partial(_show, request, again(raw, why, fields=FIELDS, about="smtp_host"), why.status))
    return go(HERE, done="saved")


async def test(request: Request) -> Response:
    """With what was typed; what was not is as it is in force."""
    ctx, raw = ctx_of(request), await typed(request)
    began = monotonic()
    try:
        found = await do(partial(mail.test, ctx, actor_of(request), _typed_in(ctx, raw), ""))
    except HomeportError as why:
        found = [Check("typed", "failed", why.detail, " ".join(why.todo))]
    tested = Tested(tuple(found), monotonic() - began, SAYS)
    return await do(partial(_show, request, Form({**raw, "smtp_password": ""}, fields=FIELDS), tested=tested))


def _typed_in(ctx: Context, raw: dict[str, str]) -> Settings:
    values = SettingsPatch.parse(_changed(ctx, raw)).values
    return replace(ctx.settings, **{name: parse_setting(name, text or "") for name, text in values.items()})


def _changed(ctx: Context, raw: dict[str, str]) -> dict[str, str]:
    """Only what differs from what is in force; the password stays where none was typed."""
    now = _as_saved(ctx).raw
    changed = {name: raw[name] for name in PLAIN if name in raw and raw[name].strip() != now[name]}
    return changed | ({"smtp_password": raw["smtp_password"]} if raw.get("smtp_password") else {})


def _as_saved(ctx: Context) -> Form:
    return Form({name: str(getattr(ctx.settings, name)) for name in PLAIN}, {}, FIELDS)


def _show(request: Request, form: Form, code: int = 200, tested: Tested | None = None) -> Response:
    ctx = ctx_of(request)
    hint = secret_hint(ctx, "smtp_password", "Of an account that may send.")
    return render(
        request,
        "settings/mail.html",
        code,
        form=form,
        tested=tested,
        password_hint=hint,
        allowed=may(actor_of(request), "sign_in.update"),
    )
