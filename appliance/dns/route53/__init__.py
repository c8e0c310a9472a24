"""DNS by Amazon Route 53."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from appliance.dns.base import Config, asked
from appliance.dns.records import Records
from appliance.dns.route53.api import Api
from appliance.dns.route53.checks import run
from appliance.dns.zoned import Zoned
from appliance.model.checks import Check


@dataclass(frozen=True)
class Route53Config(Config):
    route53_key_id: str = asked("Access key id", "Of a user that may do nothing but change these zones.")
    route53_secret: str = asked("Secret access key")


class Route53(Zoned):
    """Makes records in the hosted zones that one access key may change. Holds nothing between calls."""

    name = "route53"
    title = "Amazon Route 53"
    config = Route53Config

    def look(self, hosts: tuple[str, ...]) -> list[Check]:
        return run(self._api(), hosts)

    @contextmanager
    def records(self) -> Iterator[Records]:
        yield Records(self._api(), self.instance_id, self.settings.dns_ttl)

    def _api(self) -> Api:
        return Api(self.settings.route53_api, self.settings.route53_key_id, self.settings.route53_secret)
