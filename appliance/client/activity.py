"""What anyone did."""

from collections.abc import Iterator, Mapping
from typing import TypedDict

from appliance.client.address import given
from appliance.client.connection import Connection
from appliance.client.shapes import ActivityData, Page


class FlawData(TypedDict):
    first: int
    last: int
    what: str
    detail: str


class VerifiedData(TypedDict):
    whole: bool
    entries: int
    last: int
    hash: str
    flaws: list[FlawData]


class Record(Connection):
    def activity(self, limit: int | None = None, **which: str | None) -> Page[ActivityData]:
        """Narrowed by what the API takes: `person`, `key`, `verb`, `project`, `environment`, `since`, `until`, `q`."""
        return self.listed(ActivityData, "/activity", limit, **which)

    def export_activity(self, which: Mapping[str, str | None] | None = None) -> Iterator[bytes]:
        """Lines of JSON, the oldest entry first."""
        with self.sent("GET", "/activity/export", params=given(**(which or {}))) as answer:
            yield from answer.iter_bytes()

    def verify_activity(self) -> VerifiedData:
        return self.get(VerifiedData, "/activity/verify")
