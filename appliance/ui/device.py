"""The page where somebody says yes to a terminal that wants to sign in as them."""

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access import device
from appliance.errors import NotFound, TooMany
from appliance.model.device import DeviceLogin, in_halves, read_code
from appliance.ui.forms import Wrong, do, typed
from appliance.ui.keys import choices, corrected, new_key
from appliance.web.page import Form, render
from appliance.web.routes import actor_of, ctx_of

FIELDS = ("code",)


def show(request: Request) -> Response:
    """With a code, what it stands for; without one, where to type it."""
    code = request.query_params.get("code", "")
    if not code:
        return _ask(request, Form(fields=FIELDS))
    try:
        login = device.waiting(ctx_of(request), actor_of(request), code)
    except (NotFound, TooMany) as why:
        said = {"code": " ".join((why.detail, *why.todo))}
        return _ask(request, Form({"code": code[:20]}, said, FIELDS), why.status)
    return _show(request, login, Form({"name": login.device}))


async def answer(request: Request) -> Response:
    """Yes or no, to the code that the form carries; all that it says is looked at again."""
    raw = await typed(request)
    said, code = raw.pop("answer", ""), raw.pop("code", "")
    return await do(partial(_answer, request, said, code, raw))


def _answer(request: Request, said: str, code: str, raw: Mapping[str, str]) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    login = device.waiting(ctx, actor, code)
    if said != "yes":
        device.deny(ctx, actor, code)
        return render(request, "access/device-done.html", login=login, allowed=False)
    try:
        device.allow(ctx, actor, code, new_key(ctx, raw))
    except Wrong as why:
        return _show(request, login, corrected(raw, why), why.status)
    return render(request, "access/device-done.html", login=login, allowed=True)


def _ask(request: Request, form: Form, code: int = 200) -> Response:
    return render(request, "access/device-code.html", code, form=form)


def _show(request: Request, login: DeviceLogin, form: Form, code: int = 200) -> Response:
    shown = in_halves(read_code(login.code))
    places = choices(request)
    return render(request, "access/device.html", code, login=login, shown=shown, form=form, choices=places)
