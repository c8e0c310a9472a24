"""Zones and records as a provider has them, as far as Homeport cares."""

from dataclasses import dataclass

from appliance.errors import RemoteFailed

TTL = 300


class Overtaken(RemoteFailed):
    """Somebody changed the records between our look and our change."""

    code = "dns_overtaken"


@dataclass(frozen=True)
class Zone:
    id: str
    name: str
    status: str = "active"


@dataclass(frozen=True)
class Row:
    """An A, AAAA or CNAME record."""

    id: str
    host: str
    type: str
    content: str
    proxied: bool
    mark: str  # whose it is
    ttl: int = TTL
    there: bool = True  # False: its mark stands beside nothing


def suffixes(host: str, least: int = 2) -> list[str]:
    """The names that may be the zone of a host, longest first."""
    labels = host.removeprefix("*.").split(".")
    return [".".join(labels[at:]) for at in range(len(labels) - least + 1)]
