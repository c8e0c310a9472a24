"""Signing in at a terminal without a password: a short code there, a yes in the browser, then a key; as RFC 8628."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from appliance.access.actor import Actor
from appliance.access.address import own_address
from appliance.access.keys import FreshKey, add_key, scope_wanted
from appliance.access.permissions import need
from appliance.access.powers_of import powers_of
from appliance.access.record import record
from appliance.access.throttle import Throttle
from appliance.context import Context
from appliance.errors import BadRequest, Forbidden, NotFound, TooMany
from appliance.machine import clock
from appliance.model.device import HALF, LETTERS, DeviceLogin, NewDevice, in_halves, read_code
from appliance.model.keys import NewKey
from appliance.model.scopes import EVERYTHING
from appliance.store import device, people

LASTS = timedelta(minutes=10)
KEPT = timedelta(hours=1)  # for which it is told that a login is over, and not that it never was
WAIT = 5  # seconds between two questions
MOST = 1000  # that wait at a time
THROTTLE = Throttle()


@dataclass(frozen=True)
class Begun:
    """What the terminal gets: its own secret, and the code that it shows."""

    device_code: str
    user_code: str
    address: str
    lasts: int
    wait: int


def begin(ctx: Context, new: NewDevice, *, ip: str | None) -> Begun:
    token = secrets.token_urlsafe(32)
    code = "".join(secrets.choice(LETTERS) for _ in range(2 * HALF))
    until = clock.text(ctx.now() + LASTS)
    with ctx.write() as db:
        device.forget(db, clock.text(ctx.now() - KEPT))
        if device.count(db) >= MOST:
            raise TooMany("Too many logins wait for a yes. Try again in a while.", headers={"Retry-After": "600"})
        login = DeviceLogin(_hash(token), code, new.device, new.account, ip, ctx.moment(), until, None, WAIT, "waiting")
        device.add(db, login)
    return Begun(token, in_halves(code), f"{own_address(ctx)}/device", int(LASTS.total_seconds()), WAIT)


def waiting(ctx: Context, actor: Actor, typed: str) -> DeviceLogin:
    """The login of a code that somebody typed. Guessing gets slow soon."""
    _refuse_keys(actor)
    subjects = (f"device-login {actor.person_id}", f"address {actor.ip}")
    THROTTLE.check(ctx, *subjects)
    found = device.by_code(ctx.db.read(), read_code(typed))
    if found is None or found.status != "waiting" or found.expires_at <= ctx.moment():
        THROTTLE.failed(ctx, *subjects)
        raise _no_login()
    return found


def allow(ctx: Context, actor: Actor, typed: str, new: NewKey) -> DeviceLogin:
    """The key is made once the terminal asks for it, so that its text is never kept."""
    need(actor, "keys.own")
    waiting(ctx, actor, typed)
    with ctx.write() as db:
        login = _still_waiting(ctx, device.by_code(db, read_code(typed)))
        scope = scope_wanted(db, actor, new)
        device.allow(db, login.hash, actor.person_id, name=new.name, expires_at=new.expires_at, scope=scope)
        record(ctx, db, actor, "login.allow", login.device, address=login.ip)
    return login


def deny(ctx: Context, actor: Actor, typed: str) -> DeviceLogin:
    waiting(ctx, actor, typed)
    with ctx.write() as db:
        login = _still_waiting(ctx, device.by_code(db, read_code(typed)))
        device.deny(db, login.hash)
        record(ctx, db, actor, "login.deny", login.device, address=login.ip)
    return login


def fetch(ctx: Context, token: str, *, ip: str | None) -> FreshKey:
    """The key, once and for the asking terminal alone; before that, why there is none yet."""
    with ctx.write() as db:
        login = device.by_hash(db, _hash(token))
        if login is None or login.expires_at <= ctx.moment():
            refusal = _expired()
        elif login.status == "denied":
            device.remove(db, login.hash)
            refusal = BadRequest("Somebody said no to this login.", code="access_denied")
        elif login.status == "waiting":
            refusal = _pending(ctx, login)
            wait = login.wait + WAIT if refusal.code == "slow_down" else login.wait
            device.polled(db, login.hash, ctx.moment(), wait)
        else:
            device.remove(db, login.hash)
            person = people.find(db, login.person_id or "")
            if person is not None:
                held = powers_of(db, person)
                actor = Actor("person", person.email, person.role, person.id, door="api", ip=ip, powers=held)
                new = NewKey(login.key_name, login.key_expires_at)
                return add_key(ctx, db, actor, new, login.key_scope or EVERYTHING, login=True)
            refusal = _expired()
    raise refusal


def _pending(ctx: Context, login: DeviceLogin) -> BadRequest:
    since = (ctx.now() - clock.parse(login.polled_at)).total_seconds() if login.polled_at else None
    if since is not None and since < login.wait - 1:
        return BadRequest(f"Asked too soon. Wait {login.wait + WAIT} seconds from now on.", code="slow_down")
    return BadRequest("Nobody has said yes yet.", code="authorization_pending")


def _still_waiting(ctx: Context, login: DeviceLogin | None) -> DeviceLogin:
    if login is None or login.status != "waiting" or login.expires_at <= ctx.moment():
        raise _no_login()
    return login


def _refuse_keys(actor: Actor) -> None:
    if not actor.session:
        raise Forbidden("A key can't do this. Sign in to do it.", code="session_only")


def _no_login() -> NotFound:
    return NotFound(
        "No login waits by this code. It may be over: a code works once, for ten minutes.",
        code="no_login",
        todo=("Run `homeport login` again for a new one.",),
    )


def _expired() -> BadRequest:
    return BadRequest("This login is over.", code="expired_token", todo=("Run `homeport login` again.",))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
