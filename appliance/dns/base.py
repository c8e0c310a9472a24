"""What every DNS provider is."""

import ipaddress
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from appliance.errors import RemoteFailed
from appliance.model.checks import Check
from appliance.model.urls import host_name
from appliance.settings import Settings


@dataclass(frozen=True)
class Record:
    """A DNS record as it stands at the provider."""

    host: str
    type: str
    content: str
    ours: bool  # bears our mark; only such a record is ever changed or deleted
    proxied: bool = False


@dataclass(frozen=True)
class Target:
    """What records point to: an address makes A or AAAA, a name makes CNAME."""

    type: str
    content: str

    @classmethod
    def parse(cls, text: str) -> Self:
        if not text.strip():
            raise _no_target("Records have nothing to point to.")
        try:
            address = ipaddress.ip_address(text.strip())
        except ValueError:
            return cls("CNAME", _name(text))
        return cls("A" if address.version == 4 else "AAAA", str(address))


class Provider(ABC):
    """Makes records for URLs. Raises RemoteFailed, permanent or not; safe to repeat, and from several threads."""

    name: str

    def __init__(self, settings: Settings, instance_id: str) -> None:
        self.settings = settings
        self.instance_id = instance_id

    @abstractmethod
    def point(self, host: str, target: str, *, proxied: bool) -> Record:
        """Make the host name lead to the target: create, update what is ours, or accept what already does."""

    @abstractmethod
    def remove(self, host: str) -> bool:
        """Delete the records of this host name that bear our mark; says whether there were any."""

    @abstractmethod
    def check(self, hosts: tuple[str, ...]) -> list[Check]:
        """Look at the token and what it may do, for the Test button: names each missing permission. Never raises."""


def _name(text: str) -> str:
    try:
        return host_name(text)
    except ValueError:
        raise _no_target(
            f"Records can't point to {text.strip()!r}: it is neither an address nor a host name."
        ) from None


def _no_target(detail: str) -> RemoteFailed:
    todo = "Set what records point to in Settings, or in HOMEPORT_DNS_TARGET: the address or the name of this host."
    return RemoteFailed(detail, permanent=True, code="no_dns_target", todo=(todo,))
