"""Passkeys: registered inside a session, shown as a second factor, or instead of all else."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import timedelta

from appliance.access import recovery
from appliance.access.actor import Actor
from appliance.access.confirmed import need_own_session
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import BadRequest, Conflict, NotFound
from appliance.machine import clock, webauthn
from appliance.machine.webauthn import Party
from appliance.model.factors import NewPasskey, Passkey
from appliance.store import factors
from appliance.store.db import Connection

LASTS = timedelta(minutes=5)
MOST = 20  # of one person
NONCE, MOMENT = 16, 6


def creation_options(ctx: Context, actor: Actor, party: Party) -> dict[str, object]:
    """What the browser is asked to make."""
    need_own_session(actor)
    known = factors.passkeys(ctx.db.read(), actor.person_id)
    return {
        "rp": {"id": party.id, "name": "Homeport"},
        "user": {
            "id": webauthn.text_of(actor.person_id.encode()),
            "name": actor.name,
            "displayName": actor.name,
        },
        "challenge": _challenge(ctx, "make", actor.person_id),
        "pubKeyCredParams": [{"type": "public-key", "alg": one} for one in webauthn.ALGORITHMS],
        "timeout": int(LASTS.total_seconds() * 1000),
        "attestation": "none",
        "authenticatorSelection": {"residentKey": "preferred", "userVerification": "preferred"},
        "excludeCredentials": [_described(one) for one in known],
    }


def request_options(ctx: Context, party: Party, purpose: str, person_id: str = "") -> dict[str, object]:
    """What the browser is asked to show. Without a person, whichever it has, and it has to ask who is there."""
    known = factors.passkeys(ctx.db.read(), person_id) if person_id else ()
    return {
        "challenge": _challenge(ctx, purpose, person_id),
        "timeout": int(LASTS.total_seconds() * 1000),
        "rpId": party.id,
        "allowCredentials": [_described(one) for one in known],
        "userVerification": "preferred" if person_id else "required",
    }


def register(ctx: Context, actor: Actor, party: Party, new: NewPasskey) -> tuple[Passkey, tuple[str, ...]]:
    """Comes back with recovery codes too, where there were none."""
    need_own_session(actor)
    made, challenge = webauthn.made(party, new.credential)
    one = Passkey(
        clock.new_id(), actor.person_id, new.name, made.credential, made.public_key, made.counter, ctx.moment(), None
    )
    with ctx.write() as db:
        _use_challenge(ctx, db, challenge, "make", actor.person_id)
        if factors.passkey_by_credential(db, one.credential):
            raise Conflict("This passkey is here already.", code="passkey_taken")
        if len(factors.passkeys(db, actor.person_id)) >= MOST:
            raise Conflict(f"You have {MOST} passkeys, the most there can be.", code="too_many_passkeys")
        factors.add_passkey(db, one)
        fresh = recovery.first(db, actor.person_id)
        record(ctx, db, actor, "factor.add", f"passkey {one.name}")
    return one, fresh


def find(ctx: Context, actor: Actor, passkey_id: str) -> Passkey:
    """One of one's own."""
    one = factors.passkey(ctx.db.read(), passkey_id)
    if one is None or one.person_id != actor.person_id:
        raise NotFound("There is no such passkey; it may have been removed already.", code="no_passkey")
    return one


def remove(ctx: Context, actor: Actor, passkey_id: str) -> None:
    need_own_session(actor)
    with ctx.write() as db:
        one = find(ctx, actor, passkey_id)
        factors.remove_passkey(db, one.id)
        recovery.settle(ctx, db, actor.person_id)
        record(ctx, db, actor, "factor.remove", f"passkey {one.name}")


def shown(
    ctx: Context, db: Connection, party: Party, credential: Mapping[str, object], *, purpose: str, person_id: str = ""
) -> str:
    """Whose passkey this is, in the transaction of what it is for. Without a person it must have asked who is there."""
    answer = webauthn.answered(party, credential)
    one = factors.passkey_by_credential(db, answer.credential)
    if one is None or (person_id and one.person_id != person_id):
        raise _refused("it is not known here")
    if answer.user not in (None, one.person_id.encode()):
        raise _refused("it is somebody else's")
    if not webauthn.signed_by(one.public_key, answer):
        raise _refused("its signature is wrong")
    if not person_id and not answer.verified:
        raise _refused("it did not ask who is there")
    if (answer.counter or one.counter) and answer.counter <= one.counter:
        raise _refused("it was used elsewhere since, so there may be a copy of it")
    _use_challenge(ctx, db, answer.challenge, purpose, person_id)
    factors.used_passkey(db, one.id, answer.counter, ctx.moment())
    return one.person_id


def _challenge(ctx: Context, purpose: str, person_id: str) -> str:
    """By chance, until when, and our mark on both: nothing is stored for whoever only asks."""
    until = int((ctx.now() + LASTS).timestamp())
    body = os.urandom(NONCE) + until.to_bytes(MOMENT, "big")
    return webauthn.text_of(body + _mark(ctx, body, purpose, person_id))


def _use_challenge(ctx: Context, db: Connection, challenge: bytes, purpose: str, person_id: str) -> None:
    body, mark = challenge[: NONCE + MOMENT], challenge[NONCE + MOMENT :]
    if not hmac.compare_digest(mark, _mark(ctx, body, purpose, person_id)):
        raise _refused("it was not asked for here")
    until = int.from_bytes(body[NONCE:], "big")
    if until <= ctx.now().timestamp():
        raise _refused("it took too long")
    hashed, end = hashlib.sha256(challenge).hexdigest(), clock.text(ctx.now() + LASTS)
    if not factors.use_challenge(db, hashed, at=ctx.moment(), until=end):
        raise _refused("it was shown before")


def _mark(ctx: Context, body: bytes, purpose: str, person_id: str) -> bytes:
    return hmac.digest(ctx.key("passkeys"), b"\0".join((purpose.encode(), person_id.encode(), body)), "sha256")


def _described(one: Passkey) -> dict[str, str]:
    return {"type": "public-key", "id": one.credential}


def _refused(why: str) -> BadRequest:
    return BadRequest(f"The passkey was not taken: {why}.", code="bad_passkey", todo=("Try again.",))
