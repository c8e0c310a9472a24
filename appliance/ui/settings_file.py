"""Settings as a file: downloaded, previewed, and taken back."""

import hashlib
from functools import partial

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from appliance.errors import BadRequest, Invalid, TooLarge
from appliance.model.settings_file import FIELD, MOST, SettingsPlan
from appliance.projects import settings_file
from appliance.ui.forms import do, typed
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

HERE = "/settings/file"


def show(request: Request) -> Response:
    return _show(request, settings_file.export(ctx_of(request)))


async def preview(request: Request) -> Response:
    try:
        text = await _text(request)
    except (BadRequest, TooLarge) as why:
        return await do(partial(_refused, request, "", why))
    return await do(partial(_preview, request, text))


async def take(request: Request) -> Response:
    """As it was previewed; where the settings have changed since, it is previewed again."""
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    text = raw.get("text", "").replace("\r\n", "\n")
    if raw.get("seen") != await do(partial(_seen, request)):
        return await do(partial(_preview, request, text, moved=True))
    try:
        await do(partial(settings_file.take, ctx, actor, text))
    except (Invalid, TooLarge) as why:
        return await do(partial(_refused, request, text, why))
    return go(HERE, done="saved")


async def _text(request: Request) -> str:
    """Of the file that was chosen; where none was, what was typed."""
    async with request.form(max_files=1, max_fields=5, max_part_size=4 * MOST) as form:
        chosen, text = form.get("chosen"), form.get("file", "")
        if isinstance(chosen, UploadFile) and chosen.filename:
            try:
                return (await chosen.read(MOST + 1)).decode("utf-8-sig")
            except UnicodeDecodeError as why:
                raise BadRequest("This file is not text in UTF-8.", code="not_text") from why
        return text.replace("\r\n", "\n") if isinstance(text, str) else ""


def _preview(request: Request, text: str, *, moved: bool = False) -> Response:
    try:
        plan = settings_file.plan(ctx_of(request), actor_of(request), text)
    except (Invalid, TooLarge) as why:
        return _refused(request, text, why)
    return _show(request, text, plan=plan, moved=moved)


def _refused(request: Request, text: str, why: Invalid | BadRequest | TooLarge) -> Response:
    errors = why.errors if isinstance(why, Invalid) else {FIELD: why.detail}
    about = {FIELD: " ".join(f"{one.rstrip('.')}." for one in errors.values())}
    return _show(request, text, Form({}, about, (FIELD,)), code=why.status)


def _show(
    request: Request,
    text: str,
    form: Form | None = None,
    *,
    code: int = 200,
    plan: SettingsPlan | None = None,
    moved: bool = False,
) -> Response:
    return render(
        request,
        "settings/file.html",
        code,
        form=form or Form(fields=(FIELD,)),
        text=text,
        plan=plan,
        moved=moved,
        seen=_seen(request) if plan else "",
    )


def _seen(request: Request) -> str:
    """What tells these settings from others."""
    return hashlib.sha256(settings_file.export(ctx_of(request)).encode()).hexdigest()
