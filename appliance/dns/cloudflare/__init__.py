"""DNS by Cloudflare."""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.dns.base import Provider, Record, Target
from appliance.dns.cloudflare.checks import Checks
from appliance.dns.cloudflare.records import Records
from appliance.model.checks import Check


class Cloudflare(Provider):
    """Makes A, AAAA and CNAME records in the zones that one API token may edit. Holds nothing between calls."""

    name = "cloudflare"

    def point(self, host: str, target: str, *, proxied: bool) -> Record:
        wanted = Target.parse(target)
        with self._records() as records:
            return records.point(host, wanted, proxied=proxied)

    def remove(self, host: str) -> bool:
        with self._records() as records:
            return records.remove(host)

    def check(self, hosts: tuple[str, ...]) -> list[Check]:
        with self._records() as records:
            return Checks(records).run(hosts)

    @contextmanager
    def _records(self) -> Iterator[Records]:
        from appliance.dns.cloudflare.api import Api  # and with it the SDK, half a second

        with Api(self.settings.cloudflare_token, self.settings.cloudflare_api) as api:
            yield Records(api, self.instance_id)
