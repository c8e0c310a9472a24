"""How often anyone may ask: so many times a minute, counted in memory, which does not grow with who asks."""

import ipaddress
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic

from appliance.errors import TooMany

MINUTE = 60
KEEP = 20_000
NETWORK = 64  # whoever has one address of IPv6 has this many bits of them


@dataclass(frozen=True)
class Quota:
    """So many requests in any minute; what is not used comes back little by little."""

    name: str
    most: int

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.most};w={MINUTE}'


@dataclass(frozen=True)
class Standing:
    """What is left of a quota after a request, and in how many seconds all of it is back."""

    quota: Quota
    left: int
    back_in: int
    wait: int = 0  # seconds until another request is let in, where this one is not

    @property
    def header(self) -> str:
        return f'"{self.quota.name}";r={self.left};t={self.back_in}'


class Limits:
    """For each who asks one number: when all that they used is back."""

    def __init__(self, keep: int = KEEP, clock: Callable[[], float] = monotonic) -> None:
        self._keep, self._clock = keep, clock
        self._back: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def spend(self, quota: Quota, subject: str) -> Standing:
        """One request more."""
        with self._lock:
            return self._spend(quota, subject)

    def _spend(self, quota: Quota, subject: str) -> Standing:
        now, each, who = self._clock(), MINUTE / quota.most, (quota.name, subject)
        used = max(self._back.get(who, 0.0) - now, 0.0)
        if used + each > MINUTE + 1e-6:
            return Standing(quota, 0, math.ceil(used), max(1, math.ceil(used + each - MINUTE)))
        if len(self._back) >= self._keep and who not in self._back:
            self._make_room(now)
        self._back[who] = now + used + each
        return Standing(quota, int((MINUTE - used - each) / each + 1e-6), math.ceil(used + each))

    def _make_room(self, now: float) -> None:
        """Those who used least go first: a flood of addresses, each used once, does not let off who asks too often."""
        used = sorted((back, who) for who, back in self._back.items() if back > now)
        self._back = {who: back for back, who in used[-self._keep * 3 // 4 :]}


def refuse(standing: Standing) -> None:
    """Stop here when the quota is used up."""
    if standing.wait:
        many = f"{standing.wait} second{'' if standing.wait == 1 else 's'}"
        raise TooMany(
            f"Too many requests: {standing.quota.most} a minute are let in here. Wait {many}, then try again.",
            code="too_many_requests",
            headers={"Retry-After": str(standing.wait)},
        )


@lru_cache(4096)
def neighbours(ip: str | None) -> str:
    """An address of IPv4; of IPv6 the network around it, all of which somebody has who has one."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return ip or ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((int(address), NETWORK), strict=False))
