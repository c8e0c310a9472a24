"""What every DNS provider is."""

import ipaddress
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from time import monotonic
from typing import Any, ClassVar, Self

from appliance.errors import RemoteFailed
from appliance.machine import stopping, waiting
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
    there: bool = True  # False: our mark stands, and the record beside it is gone or was changed by hand


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


def asked(label: str, hint: str = "", *, needed: bool = True, choices: tuple[str, ...] = ()) -> Any:
    """A field of a provider's form. Its name is the setting's, which knows whether it is a secret."""
    return field(default="", metadata={"asked": Asked(label, hint, needed, choices)})


@dataclass(frozen=True)
class Asked:
    label: str
    hint: str
    needed: bool
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Config:
    """What a provider needs to be told. Its fields draw the form in Settings."""

    @classmethod
    def form(cls) -> dict[str, Asked]:
        return {one.name: one.metadata["asked"] for one in fields(cls)}

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(**{name: getattr(settings, name) for name in cls.form()})

    def missing(self) -> list[Asked]:
        return [asked for name, asked in self.form().items() if asked.needed and not getattr(self, name)]


class Provider(ABC):
    """Makes records for URLs. Raises RemoteFailed, permanent or not; safe to repeat, and from several threads."""

    name: str
    title: ClassVar[str] = ""  # as people call it
    config: ClassVar[type[Config]] = Config
    proxies: ClassVar[bool] = False  # whether visitors can be led through it

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
    def ours(self, known: tuple[str, ...]) -> list[Record]:
        """Every record that bears our mark. `known` are names to look at where the provider lists nothing."""

    @abstractmethod
    def set_txt(self, name: str, value: str) -> None:
        """Add a value to the TXT records of a name, beside those that are there."""

    @abstractmethod
    def remove_txt(self, name: str, value: str) -> None:
        """Take one value out again; the others stay."""

    @abstractmethod
    def check(self, hosts: tuple[str, ...]) -> list[Check]:
        """Look at what was set and what it may do, for the Test button: names each thing missing. Never raises."""

    def served(self, name: str, value: str) -> bool:
        """Whether every name server of the zone, as far as it can be asked, gives this TXT value by now."""
        from appliance.machine import nameservers  # and with it a resolver

        return nameservers.serve(nameservers.of_zone(name, self.settings.dns_resolver), name, "TXT", value)

    def until_served(self, name: str, value: str, *, timeout: float = 120) -> None:
        """Wait for that; RemoteFailed when it takes too long."""
        ends = monotonic() + timeout
        for _ in waiting.seconds():
            stopping.check()
            if self.served(name, value):
                return
            if monotonic() > ends:
                raise RemoteFailed(
                    f"The name servers of {name} don't give its TXT record after {timeout:g} seconds.",
                    permanent=False,
                    code="dns_slow",
                    todo=("See whether all of them take the zone over from the one that is written to.",),
                )


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
