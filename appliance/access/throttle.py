"""Slowing down guesses: by address and by account, forgotten with time."""

import math
import threading
from dataclasses import dataclass

from appliance.context import Context
from appliance.errors import TooMany

FREE = 5  # tries before any waiting
LONGEST = 900.0
KEEP = 10_000


@dataclass
class _Count:
    failures: int
    until: float


class Throttle:
    """After five failures each further one doubles the wait, up to fifteen minutes."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()

    def check(self, ctx: Context, *subjects: str) -> None:
        now = ctx.now().timestamp()
        with self._lock:
            waits = [self._counts[one].until - now for one in subjects if one in self._counts]
        wait = max(waits, default=0.0)
        if wait > 0:
            seconds = math.ceil(wait)
            raise TooMany(
                f"Too many wrong tries. Wait {seconds} seconds, then try again.", headers={"Retry-After": str(seconds)}
            )

    def failed(self, ctx: Context, *subjects: str) -> None:
        now = ctx.now().timestamp()
        with self._lock:
            if len(self._counts) > KEEP:
                self._counts = {one: count for one, count in self._counts.items() if count.until > now}
            for one in subjects:
                count = self._counts.get(one) or _Count(0, now)
                if now - count.until > LONGEST:
                    count = _Count(0, now)
                count.failures += 1
                over = count.failures - FREE
                count.until = now + (min(2.0**over, LONGEST) if over >= 0 else 0.0)
                self._counts[one] = count

    def worked(self, *subjects: str) -> None:
        with self._lock:
            for one in subjects:
                self._counts.pop(one, None)
