"""Coming in by an invitation, and asking for one."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.people.accept import accept, look_at
from appliance.access.people.join import ask_to_join, can_ask
from appliance.errors import Invalid, NotFound, TooMany
from appliance.model.invitations import Acceptance, Joining
from appliance.ui.access import let_in
from appliance.ui.forms import Wrong, again, do, typed
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

FIELDS = ("password",)


def show(request: Request) -> Response:
    return _show(request, request.query_params.get("token", ""), Form(fields=FIELDS))


async def come_in(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    token, agent = raw.get("token", ""), request.headers.get("user-agent", "")
    try:
        given = Acceptance.parse(raw)
        done = await do(partial(accept, ctx, actor, given, door="browser", ip=request.state.ip, agent=agent))
    except Invalid as why:
        return await do(partial(_show, request, token, again(raw, why, fields=FIELDS, about="password"), why.status))
    return let_in(request, done, "/projects")


def ask_form(request: Request) -> Response:
    return _show_ask(request, Form(fields=("email",)))


async def ask(request: Request) -> Response:
    ctx, raw = ctx_of(request), await typed(request)
    try:
        asked = Joining.parse(raw)
        await do(partial(ask_to_join, ctx, asked, ip=request.state.ip))
    except (*Wrong, TooMany) as why:
        return _show_ask(request, again(raw, why, fields=("email",), about="email"), why.status)
    return _show_ask(request, Form(fields=("email",)), sent=asked.email)


def _show(request: Request, token: str, form: Form, code: int = 200) -> Response:
    """Whoever is signed in is told so: an invitation is for somebody who isn't here yet."""
    invitation, signed_in = look_at(ctx_of(request), token), actor_of(request).signed_in
    name = "access/other-person.html" if signed_in else "access/invitation.html"
    return render(request, name, code, invitation=invitation, token=token, form=form)


def _show_ask(request: Request, form: Form, code: int = 200, sent: str = "") -> Response:
    if actor_of(request).signed_in:
        return go("/projects")
    if not can_ask(ctx_of(request).settings):
        raise NotFound("There is nothing at this address.")
    domains = ctx_of(request).settings.join_domains.split(",")
    return render(request, "access/join.html", code, form=form, sent=sent, domains=domains)
