"""Zones and records as Cloudflare has them, as far as Homeport cares."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Zone:
    id: str
    name: str
    status: str


@dataclass(frozen=True)
class Row:
    """An A, AAAA or CNAME record."""

    id: str
    host: str
    type: str
    content: str
    proxied: bool
    comment: str
