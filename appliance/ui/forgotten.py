"""A forgotten password: asking for a link, and using it."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access import forgotten, mail
from appliance.errors import Invalid, TooMany
from appliance.model.people import Forgotten, Reset
from appliance.ui.forms import again, do, typed
from appliance.web.page import Form, go, render
from appliance.web.routes import ctx_of


def ask_form(request: Request) -> Response:
    email = request.query_params.get("email", "")[:255]
    return _show(request, Form({"email": email}, fields=("email",)))


async def ask(request: Request) -> Response:
    """The same answer whoever's address it is."""
    ctx, raw = ctx_of(request), await typed(request)
    try:
        given = Forgotten.parse(raw)
        await do(partial(forgotten.ask, ctx, given, ip=request.state.ip))
    except (Invalid, TooMany) as why:
        form = again(raw, why, fields=("email",), about="email")
        response = await do(partial(_show, request, form, why.status))
        response.headers.update(why.headers)
        return response
    return render(request, "access/forgot-sent.html", email=given.email)


def reset_form(request: Request) -> Response:
    token = request.query_params.get("token", "")
    person = forgotten.whose(ctx_of(request), token)
    form = Form({"token": token}, fields=("password",))
    return render(request, "access/reset.html", form=form, email=person.email)


async def reset(request: Request) -> Response:
    ctx, raw = ctx_of(request), await typed(request)
    try:
        given = Reset.parse(raw)
        await do(partial(forgotten.reset, ctx, given, door="browser", ip=request.state.ip))
    except Invalid as why:
        person = forgotten.whose(ctx, raw.get("token", ""))
        form = Form({"token": raw.get("token", "")}, why.errors, ("password",))
        return render(request, "access/reset.html", why.status, form=form, email=person.email)
    return go("/login", done="password-set")


def _show(request: Request, form: Form, code: int = 200) -> Response:
    return render(request, "access/forgot.html", code, form=form, sends=mail.is_set(ctx_of(request).settings))
