"""The second half of signing in, passkeys in place of the first, and confirming that it's you."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from appliance.access import second_step
from appliance.access.sessions import SignedIn
from appliance.errors import BadRequest, HalfWay, HomeportError, Invalid, NotSignedIn, TooMany
from appliance.model.factors import Proof, SecondStep, Shown
from appliance.ui.forms import again, do, typed
from appliance.web import confirming
from appliance.web.letting_in import keep_session
from appliance.web.page import Form, go, local, render
from appliance.web.party import party_of
from appliance.web.routes import actor_of, ctx_of

STEP = "homeport_step"  # the ticket of half a session
SECURE_STEP = f"__Host-{STEP}"
LASTS = 600
FIELDS = ("code", "password")
Refused = (Invalid, NotSignedIn, BadRequest, TooMany)


def on_to_second(request: Request, why: HalfWay, back: str) -> Response:
    """The password was right; the ticket goes along in a cookie of its own."""
    secure = bool(request.state.secure)
    response = go(f"/login/second?back={quote(local(back))}")
    name = SECURE_STEP if secure else STEP
    response.set_cookie(  # lax: after a provider sent the browser back, a strict one would not come along
        name, why.ticket, max_age=LASTS, secure=secure, httponly=True, samesite="lax"
    )
    return response


def second_form(request: Request) -> Response:
    try:
        return _show(request, Form(fields=FIELDS), local(request.query_params.get("back", "")))
    except NotSignedIn:
        return go("/login")


async def second(request: Request) -> Response:
    raw = await typed(request)
    back = local(raw.pop("back", ""))
    try:
        given = SecondStep.parse({**with_credential(raw), "ticket": _ticket(request)})
        done = await _begun(request, partial(second_step.finish, ctx_of(request), given, party_of(request)))
    except Refused as why:
        if why.code == "no_ticket":
            return go("/login")
        form = again({}, why, fields=FIELDS, about="code")
        return _with_wait(_show(request, form, back, why.status), why)
    return _without_ticket(keep_session(request, go(back), done))


async def cancel(request: Request) -> Response:
    await do(partial(second_step.cancel, ctx_of(request), _ticket(request)))
    return _without_ticket(go("/login"))


async def by_passkey(request: Request) -> Response:
    raw = await typed(request)
    back = local(raw.pop("back", ""))
    try:
        given = Shown.parse(with_credential(raw))
        done = await _begun(
            request, partial(second_step.by_passkey, ctx_of(request), given.credential, party_of(request))
        )
    except Refused as why:
        from appliance.ui.signing_in import refused, show_sign_in

        return show_sign_in(request, refused(why), back, why.status)
    return keep_session(request, go(back), done)


def confirm_form(request: Request) -> Response:
    return confirming.show(request, request.query_params.get("to", ""))


async def confirm(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    to, kept = local(raw.pop("to", ""), "/account"), raw.pop("typed", "")
    try:
        proof = Proof.parse(with_credential(raw))
        done = await do(partial(second_step.confirm, ctx, actor, proof, party_of(request)))
    except Refused as why:
        form = again({}, why, fields=FIELDS, about="password")
        return _with_wait(confirming.show(request, to, kept, form, why.status), why)
    response = _carry_on(request, to, kept) if kept else go(to)
    return keep_session(request, response, done) if done else response


def with_credential(raw: Mapping[str, str]) -> dict[str, Any]:
    """A passkey comes as JSON in a field of the form; fields that were left empty were not filled in."""
    given: dict[str, Any] = {name: value for name, value in raw.items() if value}
    if "credential" in given:
        try:
            given["credential"] = json.loads(given["credential"])
        except (ValueError, RecursionError):
            given["credential"] = "unreadable"
    return given


def _carry_on(request: Request, to: str, kept: str) -> Response:
    """Nothing is sent unseen: what was typed is shown, and sent by a press."""
    typed, secrets = confirming.read_again(kept)
    return render(request, "account/carry-on.html", action=to, typed=typed, secrets=secrets, back="/projects")


def _show(request: Request, form: Form, back: str, code: int = 200) -> Response:
    waiting = second_step.waiting(ctx_of(request), _ticket(request))
    ticket = _ticket(request)
    return render(request, "access/second.html", code, form=form, back=back, waiting=waiting, ticket=ticket)


async def _begun(request: Request, begin: "partial[SignedIn]") -> SignedIn:
    agent = request.headers.get("user-agent", "")
    return await do(partial(begin, door="browser", ip=request.state.ip, agent=agent))


def _ticket(request: Request) -> str:
    return request.cookies.get(SECURE_STEP if request.state.secure else STEP, "")


def _without_ticket(response: Response) -> Response:
    for name in (STEP, SECURE_STEP):
        response.delete_cookie(name, secure=name == SECURE_STEP, httponly=True)
    return response


def _with_wait(response: Response, why: HomeportError) -> Response:
    if wait := why.headers.get("Retry-After"):
        response.headers["Retry-After"] = wait
    return response
