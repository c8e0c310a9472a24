"""Authenticator apps: RFC 6238, six digits for half a minute, each of which works once."""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import quote

from appliance.access import recovery
from appliance.access.actor import Actor
from appliance.access.confirmed import need_own_session
from appliance.access.record import record
from appliance.access.throttle import Throttle
from appliance.context import Context
from appliance.errors import Conflict, Invalid, NotFound
from appliance.model.factors import Totp
from appliance.store import factors
from appliance.store.db import Connection

STEP, DIGITS, DRIFT = 30, 6, 1
THROTTLE = Throttle()
WRONG = "This code is not right now; type the one that the app shows, and check the clock of your phone"


@dataclass(frozen=True)
class Fresh:
    """What goes into the app."""

    secret: str
    uri: str


def begin(ctx: Context, actor: Actor) -> Fresh:
    """A new secret, which counts once a right code has switched it on."""
    need_own_session(actor)
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    with ctx.write() as db:
        _refuse_second(factors.totp(db, actor.person_id))
        sealed = ctx.seal(db, "totp", actor.person_id, secret)
        factors.put_totp(db, Totp(actor.person_id, sealed, ctx.moment(), None, 0))
    return _fresh(ctx, actor, secret)


def begun(ctx: Context, actor: Actor) -> Fresh:
    """The same again, for a page that shows it until it counts."""
    need_own_session(actor)
    found = factors.totp(ctx.db.read(), actor.person_id)
    _refuse_second(found)
    secret = ctx.unseal("totp", actor.person_id, found.sealed) if found else ""
    if not secret:
        raise NotFound("No authenticator app is being set up.", code="no_totp")
    return _fresh(ctx, actor, secret)


def switch_on(ctx: Context, actor: Actor, code: str) -> tuple[str, ...]:
    """By a right code only. Comes back with recovery codes, where there were none."""
    need_own_session(actor)
    THROTTLE.check(ctx, subject := f"setting up {actor.person_id}")
    with ctx.write() as db:
        found = factors.totp(db, actor.person_id)
        if found is None:
            raise NotFound("No authenticator app is being set up.", code="no_totp")
        _refuse_second(found)
        right = works(ctx, db, found, code)
        fresh = recovery.first(db, actor.person_id) if right else ()
        if right:
            factors.switch_totp_on(db, actor.person_id, ctx.moment())
            record(ctx, db, actor, "factor.add", "authenticator app")
    if not right:
        THROTTLE.failed(ctx, subject)
        raise Invalid({"code": WRONG})
    return fresh


def switch_off(ctx: Context, actor: Actor) -> None:
    need_own_session(actor)
    with ctx.write() as db:
        found = factors.totp(db, actor.person_id)
        if found is None or found.on_since is None:
            raise NotFound("No authenticator app is set up.", code="no_totp")
        factors.remove_totp(db, actor.person_id)
        recovery.settle(ctx, db, actor.person_id)
        record(ctx, db, actor, "factor.remove", "authenticator app")


def works(ctx: Context, db: Connection, found: Totp, code: str) -> bool:
    """Whether this is a code of now that was not used; it is used from here on."""
    secret = ctx.unseal("totp", found.person_id, found.sealed)
    step = step_of(secret, code, int(ctx.now().timestamp()) // STEP, after=found.step)
    if step is not None:
        factors.used_totp(db, found.person_id, step)
    return step is not None


def step_of(secret: str, code: str, now: int, *, after: int) -> int | None:
    """Which step this is the code of: now, or one either way, and none that was used."""
    given = code.replace(" ", "").encode("utf-8", "surrogatepass")
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), given) and step > after:
            found = step
    return found if secret else None


def code_at(secret: str, step: int) -> str:
    """RFC 4226's truncation of an HMAC-SHA-1."""
    try:
        key = base64.b32decode(secret)
    except binascii.Error:
        return ""
    mac = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 15
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def _fresh(ctx: Context, actor: Actor, secret: str) -> Fresh:
    label = quote(f"Homeport:{actor.name}")
    return Fresh(secret, f"otpauth://totp/{label}?secret={secret}&issuer=Homeport&digits={DIGITS}&period={STEP}")


def _refuse_second(found: Totp | None) -> None:
    if found is not None and found.on_since is not None:
        raise Conflict(
            "An authenticator app is set up already.",
            code="totp_on",
            todo=("Switch it off first, then set up the other one.",),
        )
