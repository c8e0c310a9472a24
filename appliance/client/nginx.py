"""NGINX's whole configuration, and edits by hand in it."""

from typing import TypedDict

from appliance.client.address import path_of
from appliance.client.connection import Connection
from appliance.client.shapes import UrlData


class EditData(TypedDict):
    host: str
    what: str
    detail: str
    diff: str
    seen_at: str
    kept_at: str | None
    kept_by: str | None


class TestedData(TypedDict):
    ok: bool
    detail: str
    said: str
    at: str


class DomainData(TypedDict):
    name: str
    status: str
    error: str | None
    dns: str


class NginxData(TypedDict):
    tested: TestedData | None
    edits: list[EditData]
    deployments: DomainData | None


class Edits(Connection):
    def look_at_nginx(self) -> NginxData:
        """Looks now: it may take a moment where there are thousands of URLs."""
        return self.post(NginxData, "/nginx/check", {})

    def restore_url(self, host: str, *, wait: float | None = None) -> UrlData:
        return self.waited(UrlData, path_of("nginx", host, "restore"), {}, wait)

    def adopt_url(self, host: str) -> EditData:
        return self.post(EditData, path_of("nginx", host, "adopt"), {})
