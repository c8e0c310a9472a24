"""What stands before a site at one URL alone: who may come, by which password, or that it leads elsewhere.

The first of these that has an answer gives it, on every backend alike: an address that is not on the list (403), the
redirect, then what the environment's guard says, with the URL's own password in place of the environment's.
"""

import ipaddress
import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from appliance.model.rules import Guard

PRIMARY = "primary"  # stands for whichever URL that is
STATUSES = (301, 302, 307, 308)
MOST_NETWORKS = 100
PRIVATE = "private"
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.1", "fc00::/7", "fe80::/10", "::1")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Front:
    """As a URL has it; for a backend, `redirect_to` is a host name in any case."""

    redirect_to: str = ""
    redirect_status: int = 301
    allow: tuple[str, ...] = ()
    user: str = ""
    password: str = field(default="", repr=False)  # hashed; in place of the environment's

    @property
    def text(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value != getattr(Front(), name)})

    @classmethod
    def of(cls, text: str) -> Self:
        raw: dict[str, Any] = json.loads(text)
        return cls(**{**raw, "allow": tuple(raw.get("allow", ()))})

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        return tuple(map(ipaddress.ip_network, self.allow))

    def lets_in(self, address: str) -> bool:
        """Whether visitors from there may come."""
        if not self.allow:
            return True
        try:
            asker = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(asker in network for network in self.networks)

    def guard(self, whole: Guard) -> Guard:
        """What stands before this URL, where this stands before the whole environment."""
        if self.redirect_to:
            return Guard()
        return replace(whole, user=self.user, password=self.password) if self.password else whole


def checked(text: str) -> str:
    """An address, a network, or `private`; in its one spelling."""
    return PRIVATE if text.strip().lower() == PRIVATE else network(text)


def network(text: str) -> str:
    """The one spelling of an address or a network."""
    bare = text.strip()
    try:
        if "%" in bare:
            raise ValueError
        found = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        raise ValueError(
            f"“{bare[:60]}” is no address or network; enter such as 192.0.2.7, 10.0.0.0/8 or private"
        ) from None
    if found.version == 6 and found.network_address.ipv4_mapped is not None and found.prefixlen >= 96:
        raise ValueError(f"Enter {bare[:60]} as an IPv4 address or network")
    return str(found.network_address) if found.prefixlen == found.max_prefixlen else str(found)


def networks(those: tuple[str, ...]) -> tuple[str, ...]:
    """Each once; `private` is all that nobody outside has."""
    found = dict.fromkeys(one for text in those for one in (_PRIVATE if text == PRIVATE else (text,)))
    if len(found) > MOST_NETWORKS:
        raise ValueError(f"Keep this to {MOST_NETWORKS} addresses and networks")
    return tuple(found)
