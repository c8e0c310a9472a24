"""Slowing down guesses: by address and by account, forgotten with time, not by a restart."""

import hmac
import math

from appliance.access.limits import neighbours
from appliance.context import Context
from appliance.errors import TooMany
from appliance.store import failures
from appliance.store.failures import Failed

FREE = 5  # tries before any waiting
LONGEST = 900.0
KEEP = 10_000


class Throttle:
    """After five failures each further one doubles the wait, up to fifteen minutes."""

    def __init__(self, keep: int = KEEP) -> None:
        self._keep = keep

    def check(self, ctx: Context, *subjects: str) -> None:
        now, db = ctx.now().timestamp(), ctx.db.read()
        found = [failures.find(db, _named(ctx, one)) for one in subjects]
        wait = max((one.until - now for one in found if one), default=0.0)
        if wait > 0:
            seconds = math.ceil(wait)
            raise TooMany(
                f"Too many wrong tries. Wait {seconds} seconds, then try again.", headers={"Retry-After": str(seconds)}
            )

    def failed(self, ctx: Context, *subjects: str) -> None:
        now = ctx.now().timestamp()
        with ctx.db.write(lasting=False) as db:
            failures.make_room(db, self._keep, over=now - LONGEST)
            for one in subjects:
                subject = _named(ctx, one)
                found = failures.find(db, subject)
                times = found.times + 1 if found and now - found.until <= LONGEST else 1
                failures.save(db, subject, Failed(times, now + _wait(times)))

    def worked(self, ctx: Context, *subjects: str) -> None:
        named, db = [_named(ctx, one) for one in subjects], ctx.db.read()
        if any(failures.find(db, one) for one in named):
            with ctx.db.write(lasting=False) as db:
                for one in named:
                    failures.forget(db, one)


def _wait(times: int) -> float:
    over = times - FREE
    return min(2.0 ** min(over, 20), LONGEST) if over >= 0 else 0.0


def _named(ctx: Context, subject: str) -> str:
    """Not as it was typed: people type passwords where an address belongs."""
    kind, _, name = subject.partition(" ")
    text = f"{kind} {neighbours(name)}" if kind == "address" else subject
    return hmac.new(ctx.key("throttle"), text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
