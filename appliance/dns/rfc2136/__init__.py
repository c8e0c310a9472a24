"""DNS by dynamic updates (RFC 2136), signed with a key (TSIG): BIND, Knot, PowerDNS, Windows DNS and others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.dns.base import Config, asked
from appliance.dns.records import Records
from appliance.dns.zoned import Zoned
from appliance.model.checks import Check

if TYPE_CHECKING:
    from appliance.dns.rfc2136.updates import Updates

ALGORITHMS = ("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1", "hmac-md5")


@dataclass(frozen=True)
class Rfc2136Config(Config):
    rfc2136_server: str = asked(
        "Name server", "The one that takes updates, such as 10.0.0.53 or ns1.example.net; with a port if not 53."
    )
    rfc2136_key_name: str = asked(
        "Name of the key", "As the name server has it. Empty where updates are allowed by address.", needed=False
    )
    rfc2136_algorithm: str = asked("Its algorithm", choices=ALGORITHMS)
    rfc2136_key_secret: str = asked("Secret of the key", "In Base64, as `tsig-keygen` prints it.", needed=False)


class Rfc2136(Zoned):
    """Makes records where one name server is told to. Holds nothing between calls."""

    name = "rfc2136"
    title = "Dynamic updates (RFC 2136)"
    config = Rfc2136Config

    def look(self, hosts: tuple[str, ...]) -> list[Check]:
        from appliance.dns.rfc2136.checks import run

        return run(self._updates(), hosts)

    def served(self, name: str, value: str) -> bool:
        """Asked of the servers that the zone names itself: what the world sees of it may be another one."""
        from appliance.machine import nameservers

        if self.settings.dns_resolver:
            return super().served(name, value)
        return nameservers.serve(self._updates().name_servers(name), name, "TXT", value)

    @contextmanager
    def records(self) -> Iterator[Records]:
        yield Records(self._updates(), self.instance_id, self.settings.dns_ttl)

    def _updates(self) -> "Updates":
        from appliance.dns.rfc2136.updates import Updates  # and with it dnspython

        return Updates.of(Rfc2136Config.of(self.settings))
