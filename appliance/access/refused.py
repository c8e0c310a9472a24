"""Refusals on record: who was turned away from what. A flood of them can't fill the disk, nor hide one of another's."""

import threading
from dataclasses import dataclass

from appliance.access.actor import Actor
from appliance.access.limits import neighbours
from appliance.access.record import Fact, record
from appliance.context import Context
from appliance.model.people import Person

EACH, ALL = 10, 100  # that are written down at once
EACH_EVERY, ALL_EVERY = 60.0, 6.0  # seconds after which there may be one more
MOST_KNOWN = 10_000
LONGEST = 200  # characters of what was asked for


@dataclass
class _Share:
    """So many at once, and one more with time."""

    left: float
    seen: float

    def take(self, now: float, most: int, every: float) -> bool:
        self.left, self.seen = min(most, self.left + (now - self.seen) / every), now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Shares:
    """What each may have written down; the number of what was left out stands in the next that is."""

    def __init__(self) -> None:
        self._each: dict[str, _Share] = {}
        self._all: _Share | None = None
        self._left_out = 0
        self._lock = threading.Lock()

    def take(self, who: str, now: float) -> int | None:
        """How many were left out before this one; None where this one is."""
        with self._lock:
            if len(self._each) >= MOST_KNOWN:
                self._each.clear()
            each = self._each.setdefault(who, _Share(EACH, now))
            self._all = self._all or _Share(ALL, now)
            if not (each.take(now, EACH, EACH_EVERY) and self._all.take(now, ALL, ALL_EVERY)):
                self._left_out += 1
                return None
            before, self._left_out = self._left_out, 0
            return before


SHARES = Shares()


def turned_away(
    ctx: Context, actor: Actor, asked: str, *, permission: str, place: tuple[str | None, str | None]
) -> None:
    """From a change, by a missing permission: told so, or told that there is no such thing."""
    project, environment = place
    _note(
        ctx, actor, "access.refused", asked[:LONGEST], project=project, environment=environment, permission=permission
    )


def sign_in_failed(ctx: Context, person: Person | None, *, door: str, ip: str | None, by: str = "password") -> None:
    """Not as it was typed: people type passwords where an address belongs."""
    actor = Actor("nobody", "nobody", door=door, ip=ip)
    _note(ctx, actor, "session.failed", person.email if person else "somebody who is not known here", by=by)


def not_confirmed(ctx: Context, actor: Actor) -> None:
    """Whoever has a session, and doesn't know what its person knows."""
    _note(ctx, actor, "session.unconfirmed", actor.name)


def _note(
    ctx: Context,
    actor: Actor,
    verb: str,
    subject: str,
    *,
    project: str | None = None,
    environment: str | None = None,
    **data: Fact,
) -> None:
    who = actor.id if actor.signed_in else f"address {neighbours(actor.ip or '')}"
    left_out = SHARES.take(who, ctx.now().timestamp())
    if left_out is None:
        return
    if left_out:
        data["left_out"] = left_out
    with ctx.db.write(lasting=False) as db:
        record(ctx, db, actor, verb, subject, project=project, environment=environment, **data)
