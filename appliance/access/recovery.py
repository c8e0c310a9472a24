"""Recovery codes: ten, shown once, each of which works once in place of a second factor."""

import hashlib
import secrets

from appliance.access.actor import Actor
from appliance.access.confirmed import need_own_session
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict
from appliance.store import factors
from appliance.store.db import Connection

COUNT, PARTS, PART = 10, 4, 4
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


def make(ctx: Context, actor: Actor) -> tuple[str, ...]:
    """Ten new ones; those before stop working."""
    need_own_session(actor)
    with ctx.write() as db:
        if not factors.of_person(db, actor.person_id).any:
            raise Conflict(
                "Recovery codes stand in for a second factor, and you have none.",
                code="no_factor",
                todo=("Set up an authenticator app or a passkey first.",),
            )
        fresh = _fresh(db, actor.person_id)
        record(ctx, db, actor, "factor.recovery_codes", actor.name)
    return fresh


def first(db: Connection, person_id: str) -> tuple[str, ...]:
    """Together with the first factor, in the transaction that adds it."""
    return () if factors.recovery_codes_left(db, person_id) else _fresh(db, person_id)


def works(db: Connection, person_id: str, code: str) -> bool:
    """Whether it was one; it is gone from here on."""
    return factors.use_recovery_code(db, person_id, _hash(person_id, code))


def settle(ctx: Context, db: Connection, person_id: str) -> None:
    """After a factor went. Where one is required the last can't go; where none is left, nor are codes."""
    if factors.of_person(db, person_id).any:
        return
    if ctx.settings.second_factor == "required":
        raise Conflict(
            "A second factor is required here, and this is your last.",
            code="last_factor",
            todo=("Set up another one first.",),
        )
    factors.forget_all(db, person_id)


def _fresh(db: Connection, person_id: str) -> tuple[str, ...]:
    codes = tuple("-".join(_part() for _ in range(PARTS)) for _ in range(COUNT))
    factors.put_recovery_codes(db, person_id, [_hash(person_id, one) for one in codes])
    return codes


def _part() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(PART))


def _hash(person_id: str, code: str) -> str:
    """A code has 79 bits of chance: a plain hash keeps it, and nobody waits for a slow one."""
    plain = code.replace("-", "").replace(" ", "").lower()
    return hashlib.sha256(f"{person_id}:{plain}".encode("utf-8", "surrogatepass")).hexdigest()
