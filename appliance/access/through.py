"""Signing in through a provider: begun in a browser, ended in the same one, once."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta

import jwt

from appliance.access import identities as linking
from appliance.access import providers, sessions
from appliance.access.actor import Actor
from appliance.access.address import own_address
from appliance.access.people.join import join
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import BadRequest, Forbidden, HalfWay, NotSignedIn
from appliance.machine import clock, github, oidc
from appliance.machine.oauth import Flow, Who
from appliance.model.identities import Identity
from appliance.model.people import Person
from appliance.model.providers import Provider
from appliance.store import identities, people
from appliance.store import providers as stored

LASTS = timedelta(minutes=10)
CODE = re.compile("[a-z_]{1,40}")  # what an error is called; anything else is not repeated
SIGN_IN, LINK = "sign-in", "link"


@dataclass(frozen=True)
class Begun:
    """What the browser carries from here to the provider and back."""

    address: str
    cookie: str = field(repr=False)


@dataclass(frozen=True)
class _Carried:
    """What the cookie holds, signed: only the browser that began can end, as the one who began."""

    provider: str
    purpose: str
    state: str
    nonce: str
    verifier: str
    person: str
    session: str
    where: str  # the page to go to in the end


@dataclass(frozen=True)
class Ended:
    """Somebody signed in, is halfway in, or connected an account."""

    purpose: str
    where: str
    provider: Provider
    signed_in: sessions.SignedIn | None = None
    half: HalfWay | None = None  # where a second factor comes next


def callback(ctx: Context, one: Provider) -> str:
    """Where the provider sends people back to; what has to be entered there."""
    return f"{own_address(ctx)}/login/with/{one.id}/back"


def begin(ctx: Context, actor: Actor, one: Provider, *, purpose: str, where: str, fresh: bool = False) -> Begun:
    if purpose == LINK and not actor.session:
        raise Forbidden("An account is connected in the browser, by whom it is for.", code="no_session")
    carried = _Carried(
        one.id,
        purpose,
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(48),
        actor.person_id if purpose == LINK else "",
        actor.session if purpose == LINK else "",
        where,
    )
    until = ctx.now() + LASTS
    cookie = jwt.encode({**asdict(carried), "exp": int(until.timestamp())}, ctx.key("through"), algorithm="HS256")
    door = github if one.kind == "github" else oidc
    flow = replace(_flow(ctx, one, carried), fresh=fresh)
    return Begun(door.begin(providers.client_of(ctx, one), flow), cookie)


def end(ctx: Context, actor: Actor, one: Provider, cookie: str, came: Mapping[str, str], *, agent: str = "") -> Ended:
    """What the provider sent the browser back with. Everything is checked before anything is asked of it."""
    carried = _carried(ctx, one, cookie)
    if "code" not in came and "state" not in came:  # some say no without it
        raise NotSignedIn(_denied(one, came.get("error", "")), code="denied")
    if not hmac.compare_digest(carried.state.encode(), came.get("state", "").encode()):
        raise _not_begun_here()
    _once(ctx, carried)
    _refuse_other_issuer(one, came)
    if carried.purpose == LINK and (actor.session, actor.person_id) != (carried.session, carried.person):
        raise Forbidden(
            "Whoever began to connect this account is not signed in here any more, so nothing was connected.",
            code="other_session",
            todo=("Sign in and begin again.",),
        )
    if "code" not in came:
        raise NotSignedIn(_denied(one, came.get("error", "")), code="denied")
    door = github if one.kind == "github" else oidc
    who = door.finish(providers.client_of(ctx, one), _flow(ctx, one, carried), came["code"])
    if carried.purpose == LINK:
        _connect(ctx, actor, one, who)
        return Ended(LINK, carried.where, one)
    try:
        return Ended(SIGN_IN, carried.where, one, signed_in=_come_in(ctx, actor, one, who, agent))
    except HalfWay as half:
        return Ended(SIGN_IN, carried.where, one, half=half)


def _connect(ctx: Context, actor: Actor, one: Provider, who: Who) -> Identity:
    if not who.verified:
        raise Forbidden(
            f"{one.name} has not seen that {who.email or 'the address'} is yours, so nothing was connected.",
            code="unverified",
            todo=(f"Confirm your address at {one.name}, then begin again.",),
        )
    with ctx.write() as db:
        return linking.link(ctx, db, actor, one, who, person_id=actor.person_id)


def _come_in(ctx: Context, actor: Actor, one: Provider, who: Who, agent: str) -> sessions.SignedIn:
    """An equal address is never enough: whoever made an account first with somebody's address would wait inside."""
    found = identities.find(ctx.db.read(), one.id, who.subject)
    person = people.find(ctx.db.read(), found.person_id) if found else _joined(ctx, actor, one, who)
    if person is None:
        raise _stranger(ctx, actor, one, who)
    if found:
        with ctx.write() as db:
            identities.used(db, found.id, ctx.moment())
    strong = one.second_factor  # whoever trusts the provider's own is not asked again
    return sessions.come_in(ctx, person, door="browser", ip=actor.ip, agent=agent, by=one.name, strong=strong)


def _joined(ctx: Context, actor: Actor, one: Provider, who: Who) -> Person | None:
    """Somebody new, whose verified address was invited or is in a domain that may join."""
    person = join(ctx, who.email, verified=who.verified, ip=actor.ip)
    if person is not None:
        new = Actor("person", person.email, person.role, person.id, door="browser", ip=actor.ip)
        with ctx.write() as db:
            linking.link(ctx, db, new, one, who, person_id=person.id)
    return person


def _stranger(ctx: Context, actor: Actor, one: Provider, who: Who) -> NotSignedIn:
    with ctx.write() as db:
        record(ctx, db, actor, "session.refused", one.name, address=who.email)
    return NotSignedIn(
        f"Nobody here has connected this account at {one.name}.",
        code="not_connected",
        todo=(
            f"Sign in another way, then connect {one.name} under Your account.",
            "Or ask for an invitation.",
        ),
    )


def _carried(ctx: Context, one: Provider, cookie: str) -> _Carried:
    """Signed by us, not too old, and for this provider."""
    try:
        claims = jwt.decode(cookie, ctx.key("through"), algorithms=["HS256"], options={"require": ["exp"]})
        carried = _Carried(**{name: str(claims[name]) for name in _Carried.__dataclass_fields__})
    except (jwt.PyJWTError, KeyError):
        raise _not_begun_here() from None
    if carried.provider != one.id:
        raise _not_begun_here()
    return carried


def _once(ctx: Context, carried: _Carried) -> None:
    hashed = hashlib.sha256(carried.state.encode()).hexdigest()
    with ctx.write() as db:
        fresh = stored.use_state(db, hashed, clock.text(ctx.now() + LASTS), ctx.moment())
    if not fresh:
        raise _not_begun_here()


def _refuse_other_issuer(one: Provider, came: Mapping[str, str]) -> None:
    """An answer that names another issuer was meant for somebody else."""
    if one.kind != "github" and came.get("iss", one.issuer).rstrip("/") != one.issuer.rstrip("/"):
        raise BadRequest(f"This answer does not come from {one.name}.", code="other_issuer", todo=("Begin again.",))


def _not_begun_here() -> BadRequest:
    minutes = int(LASTS.total_seconds() // 60)
    return BadRequest(
        f"This sign-in was not begun in this browser, was used already, or took longer than {minutes} minutes.",
        code="not_begun_here",
        todo=("Begin again.",),
    )


def _denied(one: Provider, why: str) -> str:
    if why == "access_denied":
        return f"{one.name} was told not to let Homeport know who you are."
    return f"{one.name} did not let you in{f': {why}' if CODE.fullmatch(why) else ''}."


def _flow(ctx: Context, one: Provider, carried: _Carried) -> Flow:
    return Flow(callback(ctx, one), carried.state, carried.nonce, carried.verifier)
