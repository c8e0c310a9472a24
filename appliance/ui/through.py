"""Signing in through a provider, and the accounts there that somebody comes in with."""

from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.access import identities as linking
from appliance.access import providers, through
from appliance.access.through import LINK, SIGN_IN, Begun
from appliance.errors import HomeportError, NotFound
from appliance.store import identities
from appliance.store import providers as stored
from appliance.ui.access import let_in
from appliance.ui.forms import do
from appliance.ui.second import on_to_second
from appliance.ui.signing_in import refused, show_sign_in
from appliance.web.page import Form, go, local, render
from appliance.web.routes import actor_of, ctx_of

COOKIE = "homeport_through"
SECURE_COOKIE = f"__Host-{COOKIE}"
MINE = "/account/identities"


async def begin(request: Request) -> Response:
    """By a link: a form may not lead to another site."""
    ctx, actor, back = ctx_of(request), actor_of(request), request.query_params.get("back", "")
    again = "again" in request.query_params
    if actor.signed_in and not again:
        return go(local(back))
    try:
        one = providers.find_provider(ctx, request.path_params["provider"])
        begun = await do(partial(through.begin, ctx, actor, one, purpose=SIGN_IN, where=local(back), fresh=again))
    except HomeportError as why:
        return await do(partial(show_sign_in, request, refused(why), back, why.status))
    return _carry(request, RedirectResponse(begun.address, 303), begun)


async def come_back(request: Request) -> Response:
    """Where the provider sends people to."""
    ctx, actor, cookie = ctx_of(request), actor_of(request), _cookie(request)
    came, agent = dict(request.query_params), request.headers.get("user-agent", "")
    try:
        one = providers.find_provider(ctx, request.path_params["provider"])
        ended = await do(partial(through.end, ctx, actor, one, cookie, came, agent=agent))
    except HomeportError as why:
        return _forget(request, await do(partial(_show_refused, request, why)))
    if ended.half is not None:
        return _forget(request, on_to_second(request, ended.half, ended.where))
    if ended.signed_in is None:
        return _forget(request, go(MINE, done="identity-linked"))
    return _forget(request, let_in(request, ended.signed_in, ended.where))


def mine(request: Request) -> Response:
    return _show(request)


async def connect(request: Request) -> Response:
    """Only by a form of ours, then on by a page: a link from elsewhere can't have somebody connect a stranger's."""
    ctx, actor = ctx_of(request), actor_of(request)
    one = providers.find_provider(ctx, request.path_params["provider"])
    try:
        begun = await do(partial(through.begin, ctx, actor, one, purpose=LINK, where=MINE))
    except HomeportError as why:
        return await do(partial(_show, request, refused(why), why.status))
    page = await do(partial(render, request, "account/onward.html", provider=one, address=begun.address))
    return _carry(request, page, begun)


def disconnect_form(request: Request) -> Response:
    wanted = request.path_params["identity"]
    those = identities.of_person(ctx_of(request).db.read(), actor_of(request).person_id)
    found = next((one for one in those if one.id == wanted), None)
    if found is None:
        raise NotFound("There is no such account connected; it may have been disconnected already.")
    return render(request, "account/disconnect.html", one=found, action=f"{MINE}/{found.id}/remove", back=MINE)


async def disconnect(request: Request) -> Response:
    try:
        await do(partial(linking.unlink, ctx_of(request), actor_of(request), request.path_params["identity"]))
    except HomeportError as why:
        return await do(partial(_show, request, refused(why), why.status))
    return go(MINE, done="identity-unlinked")


def _show_refused(request: Request, why: HomeportError) -> Response:
    if actor_of(request).signed_in:
        return _show(request, refused(why), why.status)
    return show_sign_in(request, refused(why), code=why.status)


def _show(request: Request, form: Form | None = None, code: int = 200) -> Response:
    db = ctx_of(request).db.read()
    return render(
        request,
        "account/identities.html",
        code,
        form=form or Form(),
        mine=identities.of_person(db, actor_of(request).person_id),
        providers=stored.everyone(db),
    )


def _carry(request: Request, response: Response, begun: Begun) -> Response:
    secure = bool(request.state.secure)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        begun.cookie,
        max_age=int(through.LASTS.total_seconds()),
        secure=secure,
        httponly=True,
        samesite="lax",  # it has to come along when the provider sends the browser back
    )
    return response


def _cookie(request: Request) -> str:
    """Under TLS only the one that no other host can have set."""
    return request.cookies.get(SECURE_COOKIE if request.state.secure else COOKIE, "")


def _forget(request: Request, response: Response) -> Response:
    secure = bool(request.state.secure)
    response.delete_cookie(SECURE_COOKIE if secure else COOKIE, secure=secure, httponly=True, samesite="lax")
    return response
