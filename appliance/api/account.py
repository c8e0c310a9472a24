"""One's own account: sessions, the password, second factors; and the second half of signing in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import passkeys, recovery, second_step, sessions, totp
from appliance.access.sessions import SignedIn
from appliance.api.access import SessionShape
from appliance.api.answers import answer, body, nothing, page_of
from appliance.model.factors import Code, NewPasskey, Passkey, PasswordChange, Proof, SecondStep, Shown, Ticket
from appliance.model.fields import Reader
from appliance.model.sessions import Session
from appliance.store import factors
from appliance.web.letting_in import keep_session
from appliance.web.party import party_of
from appliance.web.routes import actor_of, ctx_of, doc


@dataclass(frozen=True)
class SessionListed:
    id: str
    device: Annotated[str, "Browser and system, in words"]
    agent: Annotated[str, "What the browser said of itself"]
    created_at: str
    expires_at: str
    ip: Annotated[str | None, "Where it began"]
    seen_at: Annotated[str, "When it was last seen, to the minute"]
    seen_from: str | None
    confirmed_at: Annotated[str, "When it last showed who is there"]
    current: Annotated[bool, "Whether it is the one that asks"]


@dataclass(frozen=True)
class PasskeyShape:
    id: str
    name: str
    created_at: str
    used_at: str | None


@dataclass(frozen=True)
class FactorsShape:
    totp_since: Annotated[str | None, "Since when there is an authenticator app"]
    passkeys: tuple[PasskeyShape, ...]
    recovery_codes: Annotated[int, "How many are left"]
    required: Annotated[bool, "Whether everyone has to have a second factor here"]


@dataclass(frozen=True)
class TotpShape:
    secret: Annotated[str, "Base32, for the app"]
    uri: Annotated[str, "The same as an `otpauth:` address, for a QR code"]


@dataclass(frozen=True)
class RecoveryCodesShape:
    recovery_codes: Annotated[tuple[str, ...], "Shown this once; none where there were some already"]


@dataclass(frozen=True)
class FreshPasskeyShape(PasskeyShape):
    recovery_codes: Annotated[tuple[str, ...], "Shown this once; none where there were some already"]


@dataclass(frozen=True)
class OptionsShape:
    options: Annotated[dict[str, object], "For the browser: `publicKey`, with bytes as base64url"]


@dataclass(frozen=True)
class Nothing:
    """No fields."""

    @classmethod
    def parse(cls, raw: object) -> "Nothing":
        Reader(raw).done()
        return cls()


@doc("Go on to the second factor", body=SecondStep, returns=SessionShape, status=201)
async def second(request: Request) -> Response:
    given = SecondStep.parse(await body(request))
    return await _begun(request, partial(second_step.finish, ctx_of(request), given, party_of(request)))


@doc("What to ask a passkey as a second factor", body=Ticket, returns=OptionsShape)
async def second_options(request: Request) -> Response:
    given = Ticket.parse(await body(request))
    return answer(OptionsShape(second_step.options(ctx_of(request), given.ticket, party_of(request))))


@doc("What to ask a passkey to sign in with it alone", returns=OptionsShape)
async def passkey_options(request: Request) -> Response:
    Nothing.parse(await body(request))
    return answer(OptionsShape(passkeys.request_options(ctx_of(request), party_of(request), second_step.SIGN_IN)))


@doc("Sign in with a passkey alone", body=Shown, returns=SessionShape, status=201)
async def by_passkey(request: Request) -> Response:
    given = Shown.parse(await body(request))
    return await _begun(request, partial(second_step.by_passkey, ctx_of(request), given.credential, party_of(request)))


@doc("Confirm that it's you", body=Proof, status=204)
async def confirmed(request: Request) -> Response:
    given = Proof.parse(await body(request))
    ctx, actor, party = ctx_of(request), actor_of(request), party_of(request)
    return _renewed(request, await run_in_threadpool(second_step.confirm, ctx, actor, given, party))


@doc("What to ask a passkey to confirm that it's you", returns=OptionsShape)
async def confirm_options(request: Request) -> Response:
    Nothing.parse(await body(request))
    ctx, actor = ctx_of(request), actor_of(request)
    return answer(OptionsShape(passkeys.request_options(ctx, party_of(request), second_step.CONFIRM, actor.person_id)))


@doc("Change your password", body=PasswordChange, status=204)
async def password_changed(request: Request) -> Response:
    given = PasswordChange.parse(await body(request))
    ctx, actor = ctx_of(request), actor_of(request)
    return _renewed(request, await run_in_threadpool(second_step.change_password, ctx, actor, given))


@doc("Where you are signed in", returns=SessionListed, listing=True, whole=True)
async def sessions_listed(request: Request) -> Response:
    actor = actor_of(request)
    return page_of((_session(one, actor.session) for one in sessions.own(ctx_of(request), actor)), None)


@doc("End one of your sessions", status=204)
def session_ended(request: Request) -> Response:
    sessions.end(ctx_of(request), actor_of(request), request.path_params["session"])
    return nothing()


@doc("End every session of yours but this one", status=204)
def others_ended(request: Request) -> Response:
    sessions.end_others(ctx_of(request), actor_of(request))
    return nothing()


@doc("Your second factors", returns=FactorsShape)
async def factors_shown(request: Request) -> Response:
    ctx = ctx_of(request)
    found = factors.of_person(ctx.db.read(), actor_of(request).person_id)
    required = ctx.settings.second_factor == "required"
    return answer(FactorsShape(found.totp_since, tuple(map(_passkey, found.passkeys)), found.recovery_codes, required))


@doc("Set up an authenticator app; it counts once a code has switched it on", returns=TotpShape, status=201)
async def totp_begun(request: Request) -> Response:
    Nothing.parse(await body(request))
    fresh = await run_in_threadpool(totp.begin, ctx_of(request), actor_of(request))
    return answer(TotpShape(fresh.secret, fresh.uri), 201)


@doc("Switch the authenticator app on by a code of it", body=Code, returns=RecoveryCodesShape)
async def totp_on(request: Request) -> Response:
    given = Code.parse(await body(request))
    return answer(
        RecoveryCodesShape(await run_in_threadpool(totp.switch_on, ctx_of(request), actor_of(request), given.code))
    )


@doc("Take the authenticator app away", status=204)
def totp_off(request: Request) -> Response:
    totp.switch_off(ctx_of(request), actor_of(request))
    return nothing()


@doc("What to ask the browser for a new passkey", returns=OptionsShape)
async def creation_options(request: Request) -> Response:
    Nothing.parse(await body(request))
    return answer(OptionsShape(passkeys.creation_options(ctx_of(request), actor_of(request), party_of(request))))


@doc("Add a passkey", body=NewPasskey, returns=FreshPasskeyShape, status=201)
async def passkey_added(request: Request) -> Response:
    new = NewPasskey.parse(await body(request))
    ctx, actor, party = ctx_of(request), actor_of(request), party_of(request)
    made, codes = await run_in_threadpool(passkeys.register, ctx, actor, party, new)
    return answer(FreshPasskeyShape(**vars(_passkey(made)), recovery_codes=codes), 201)


@doc("Remove a passkey", status=204)
def passkey_removed(request: Request) -> Response:
    passkeys.remove(ctx_of(request), actor_of(request), request.path_params["passkey"])
    return nothing()


@doc("Make ten new recovery codes; those before stop working", returns=RecoveryCodesShape, status=201)
async def recovery_codes_made(request: Request) -> Response:
    Nothing.parse(await body(request))
    return answer(RecoveryCodesShape(await run_in_threadpool(recovery.make, ctx_of(request), actor_of(request))), 201)


async def _begun(request: Request, begin: Callable[..., SignedIn]) -> Response:
    ip, agent = request.scope["state"]["ip"], request.headers.get("user-agent", "")
    done = await run_in_threadpool(begin, door="api", ip=ip, agent=agent)
    return answer(SessionShape(done.token, done.expires_at), 201)


def _renewed(request: Request, done: SignedIn | None) -> Response:
    return keep_session(request, nothing(), done) if done else nothing()


def _session(one: Session, current: str) -> SessionListed:
    return SessionListed(
        one.id,
        one.device,
        one.agent,
        one.created_at,
        one.expires_at,
        one.ip,
        one.seen_at,
        one.seen_from,
        one.confirmed_at,
        one.id == current,
    )


def _passkey(one: Passkey) -> PasskeyShape:
    return PasskeyShape(one.id, one.name, one.created_at, one.used_at)
