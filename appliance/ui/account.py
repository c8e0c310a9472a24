"""One's own account: who one is, the password, sessions, second factors."""

from functools import partial

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import passkeys, recovery, second_step, sessions, totp
from appliance.access.totp import Fresh
from appliance.errors import Invalid, NotFound, NotSignedIn, TooMany
from appliance.model.factors import Code, NewPasskey, PasswordChange
from appliance.store import factors, grants, people
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.second import with_credential
from appliance.web.letting_in import keep_session
from appliance.web.page import Form, go, render
from appliance.web.party import party_of
from appliance.web.routes import actor_of, ctx_of

HERE = "/account"
PASSWORD = ("old", "password")
QUIET = 4  # modules of white around the code, which readers need


def index(request: Request) -> Response:
    return _show(request, Form(fields=PASSWORD))


async def change_password(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        given = PasswordChange.parse(raw)
        done = await do(partial(second_step.change_password, ctx, actor, given))
    except (Invalid, NotSignedIn, TooMany) as why:
        return await do(partial(_show, request, again({}, why, fields=PASSWORD, about="old"), why.status))
    response = go(HERE, done="password-changed")
    return keep_session(request, response, done) if done else response


async def end_session(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    await do(partial(sessions.end, ctx, actor, request.path_params["session"]))
    return go(HERE, done="session-ended")


async def end_others(request: Request) -> Response:
    await do(partial(sessions.end_others, ctx_of(request), actor_of(request)))
    return go(HERE, done="sessions-ended")


async def begin_totp(request: Request) -> Response:
    await do(partial(totp.begin, ctx_of(request), actor_of(request)))
    return go(f"{HERE}/totp")


def totp_form(request: Request) -> Response:
    try:
        return _show_totp(request, totp.begun(ctx_of(request), actor_of(request)), Form(fields=("code",)))
    except NotFound:
        return go(HERE)


async def switch_totp_on(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        given = Code.parse(raw)
        codes = await do(partial(totp.switch_on, ctx, actor, given.code))
    except (Invalid, TooMany) as why:
        fresh = totp.begun(ctx, actor)
        return _show_totp(request, fresh, again({}, why, fields=("code",), about="code"), why.status)
    return _show_codes(request, codes, "The authenticator app is on.") if codes else go(HERE, done="factor-added")


def totp_off_form(request: Request) -> Response:
    question = {"what": "authenticator app", "act": "Switch off"}
    return render(request, "account/remove.html", action=f"{HERE}/totp/off", back=HERE, **question)


async def switch_totp_off(request: Request) -> Response:
    await do(partial(totp.switch_off, ctx_of(request), actor_of(request)))
    return go(HERE, done="factor-removed")


def passkey_form(request: Request) -> Response:
    return _show_passkey(request, Form(fields=("name",)))


async def add_passkey(request: Request) -> Response:
    ctx, actor, raw = ctx_of(request), actor_of(request), await typed(request)
    try:
        new = NewPasskey.parse(with_credential(raw))
        _, codes = await do(partial(passkeys.register, ctx, actor, party_of(request), new))
    except Wrong as why:
        form = again({"name": raw.get("name", "")}, why, fields=("name",), about="name")
        return _show_passkey(request, form, why.status)
    return _show_codes(request, codes, "The passkey is added.") if codes else go(HERE, done="factor-added")


def passkey_remove_form(request: Request) -> Response:
    one = passkeys.find(ctx_of(request), actor_of(request), request.path_params["passkey"])
    question = {"what": f"passkey {one.name}", "act": "Remove"}
    return render(request, "account/remove.html", action=f"{HERE}/passkeys/{one.id}/remove", back=HERE, **question)


async def remove_passkey(request: Request) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    await do(partial(passkeys.remove, ctx, actor, request.path_params["passkey"]))
    return go(HERE, done="factor-removed")


async def new_codes(request: Request) -> Response:
    codes = await do(partial(recovery.make, ctx_of(request), actor_of(request)))
    return _show_codes(request, codes, "The codes before these have stopped working.")


def _show(request: Request, form: Form, code: int = 200) -> Response:
    ctx, actor = ctx_of(request), actor_of(request)
    db = ctx.db.read()
    return render(
        request,
        "account/show.html",
        code,
        form=form,
        person=people.find(db, actor.person_id),
        grants=grants.of_person(db, actor.person_id),
        sessions=sessions.own(ctx, actor),
        current=actor.session,
        factors=factors.of_person(db, actor.person_id),
        lacking=actor.lacks_factor,
        required=ctx.settings.second_factor == "required",
    )


def _show_totp(request: Request, fresh: Fresh, form: Form, code: int = 200) -> Response:
    return render(request, "account/totp.html", code, form=form, fresh=fresh, picture=_picture(fresh.uri))


def _show_passkey(request: Request, form: Form, code: int = 200) -> Response:
    return render(request, "account/passkey.html", code, form=form, party=party_of(request))


def _show_codes(request: Request, codes: tuple[str, ...], said: str) -> Response:
    """The page itself, shown this once."""
    return render(request, "account/codes.html", 201, codes=codes, said=said)


def _picture(text: str) -> Markup:
    """Dark on light whatever the theme, as cameras want it."""
    made = segno.make(text, error="m", micro=False)
    drawn: str = made.svg_inline(scale=4, border=QUIET, dark="#000", light="#fff", omitsize=True, svgclass="qr")
    return Markup(drawn)  # noqa: S704 - made of a code's black and white alone
