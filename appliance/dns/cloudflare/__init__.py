"""DNS by Cloudflare."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.dns.base import Config, asked
from appliance.dns.cloudflare.checks import Checks
from appliance.dns.records import Records
from appliance.dns.zoned import Zoned
from appliance.model.checks import Check

if TYPE_CHECKING:
    from appliance.dns.cloudflare.api import Api


@dataclass(frozen=True)
class CloudflareConfig(Config):
    cloudflare_token: str = asked(
        "API token",
        "Made in Cloudflare under My Profile, API Tokens. It needs “Zone, Zone, Read” and “Zone, DNS, Edit”.",
    )


class Cloudflare(Zoned):
    """Makes A, AAAA and CNAME records in the zones that one API token may edit. Holds nothing between calls."""

    name = "cloudflare"
    title = "Cloudflare"
    config = CloudflareConfig
    proxies = True

    def look(self, hosts: tuple[str, ...]) -> list[Check]:
        with self._api() as api:
            return Checks(api).run(hosts)

    @contextmanager
    def records(self) -> Iterator[Records]:
        with self._api() as api:
            yield Records(api, self.instance_id, self.settings.dns_ttl)

    def _api(self) -> "Api":
        from appliance.dns.cloudflare.api import Api  # and with it the SDK, half a second

        return Api(self.settings.cloudflare_token, self.settings.cloudflare_api)
