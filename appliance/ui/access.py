"""Set-up, sign-in, sign-out, theme."""

from starlette.requests import Request
from starlette.responses import Response

from appliance.access import sessions, setup
from appliance.access.sessions import SignedIn
from appliance.errors import HalfWay, HomeportError, Invalid, NotSignedIn, TooMany
from appliance.model.people import Credentials, SetUp
from appliance.ui.forms import again, do, typed
from appliance.ui.second import on_to_second
from appliance.ui.signing_in import FIELDS, show_sign_in
from appliance.web.look import look
from appliance.web.middleware import COOKIE, SECURE_COOKIE
from appliance.web.page import THEMES, Form, go, local, render
from appliance.web.routes import actor_of, ctx_of

YEAR = 365 * 86400
UNTYPED = Form()


def home(request: Request) -> Response:
    return go("/projects")


def set_up_form(request: Request) -> Response:
    ctx, token = ctx_of(request), request.query_params.get("token", "")
    if not setup.needed(ctx):
        return go("/login")
    minutes = setup.minutes_left(ctx, token)
    return show_set_up(request, Form({"token": token}, {}, FIELDS), minutes)


async def set_up(request: Request) -> Response:
    ctx, raw = ctx_of(request), await typed(request)
    if not setup.needed(ctx):
        return go("/login")
    try:
        given = SetUp.parse(raw)
        done = await do(lambda: setup.set_up(ctx, given, door="browser", ip=_ip(request), agent=_agent(request)))
    except Invalid as why:
        shown = Form({"token": raw.get("token", ""), "email": raw.get("email", "")}, why.errors, FIELDS)
        return await do(lambda: show_set_up(request, shown, None, 422))
    return let_in(request, done, "/projects")


def sign_in_form(request: Request) -> Response:
    back = request.query_params.get("back", "")
    if actor_of(request).signed_in:
        return go(local(back))
    return show_sign_in(request, Form(fields=FIELDS), back)


async def sign_in(request: Request) -> Response:
    ctx, raw = ctx_of(request), await typed(request)
    back = raw.pop("back", "")
    try:
        given = Credentials.parse(raw)
        done = await do(lambda: sessions.sign_in(ctx, given, door="browser", ip=_ip(request), agent=_agent(request)))
    except HalfWay as why:
        return on_to_second(request, why, local(back))
    except (Invalid, NotSignedIn, TooMany) as why:
        form = again(raw, why, fields=FIELDS, about="email")
        return _with_headers(show_sign_in(request, form, back, why.status), why)
    return let_in(request, done, local(back))


def sign_out(request: Request) -> Response:
    sessions.sign_out(ctx_of(request), actor_of(request))
    response = go("/login", done="signed-out")
    for name in (COOKIE, SECURE_COOKIE):
        response.delete_cookie(name, secure=name == SECURE_COOKIE, httponly=True)
    return response


async def theme(request: Request) -> Response:
    """Kept in a cookie, so that the first paint is right already."""
    raw = await typed(request)
    response = go(local(raw.get("back", "")))
    if raw.get("theme") in THEMES:
        response.set_cookie("theme", raw["theme"], max_age=YEAR, httponly=True, samesite="lax")
    else:
        response.delete_cookie("theme")
    return response


def show_set_up(
    request: Request, form: Form, minutes: int | None, code: int = 200, *, restoring: Form = UNTYPED
) -> Response:
    found = look(request)
    return render(request, "access/set-up.html", code, form=form, minutes=minutes, found=found, restoring=restoring)


def let_in(request: Request, done: SignedIn, where: str) -> Response:
    response, secure = go(where), bool(request.state.secure)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        done.token,
        max_age=int(sessions.LASTS.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


def _with_headers(response: Response, why: HomeportError) -> Response:
    for name, value in why.headers.items():
        if name.lower() != "www-authenticate":
            response.headers[name] = value
    return response


def _ip(request: Request) -> str | None:
    ip: str | None = request.state.ip
    return ip


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")
