"""Records of ours in DNS."""

from typing import TypedDict

from appliance.client.address import path_of
from appliance.client.connection import Connection
from appliance.client.shapes import Page


class DnsRecordData(TypedDict):
    host: str
    type: str
    content: str
    proxied: bool
    state: str
    detail: str
    project: str | None


class Dns(Connection):
    def dns_records(self) -> Page[DnsRecordData]:
        """Asks the provider now."""
        return self.get(Page[DnsRecordData], "/dns/records")

    def mend_dns_record(self, host: str) -> None:
        self.ask("POST", path_of("dns", "records", host, "mend"))

    def remove_dns_record(self, host: str) -> None:
        self.ask("DELETE", path_of("dns", "records", host))
