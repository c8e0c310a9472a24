"""Notifications: channels, and what was sent to them."""

from typing import Any, TypedDict

from appliance.client.address import given, path_of
from appliance.client.connection import Connection
from appliance.client.shapes import Page


class ChannelData(TypedDict):
    id: str
    kind: str
    name: str
    to: str
    token_set: bool
    events: list[str]
    projects: list[str]
    all_projects: bool
    created_at: str
    created_by: str


class MadeChannelData(TypedDict):
    id: str
    name: str
    key: str


class AttemptData(TypedDict):
    at: str
    took: float
    succeeded: bool
    status: int | None
    said: str


class DeliveryData(TypedDict):
    id: str
    channel: str
    channel_name: str
    event: str
    status: str
    title: str
    notice: dict[str, Any]
    tries: int
    created_at: str
    next_at: str | None
    ended_at: str | None
    attempts: list[AttemptData]


class HeaderData(TypedDict):
    name: str
    value: str


class SentPreviewData(TypedDict):
    to: str
    headers: list[HeaderData]
    body: str


class Notifications(Connection):
    def channels(self) -> Page[ChannelData]:
        return self.get(Page[ChannelData], "/notifications")

    def channel(self, channel_id: str) -> ChannelData:
        return self.get(ChannelData, path_of("notifications", channel_id))

    def create_channel(self, kind: str, name: str, to: str, **more: str | list[str] | None) -> MadeChannelData:
        """`token`, `events` and `projects` besides."""
        return self.post(MadeChannelData, "/notifications", given(kind=kind, name=name, to=to, **more))

    def update_channel(self, channel_id: str, **changes: str | list[str] | None) -> ChannelData:
        """`name`, `to`, `token`, `events` or `projects`."""
        return self.post(ChannelData, path_of("notifications", channel_id), given(**changes), method="PATCH")

    def delete_channel(self, channel_id: str) -> None:
        self.ask("DELETE", path_of("notifications", channel_id))

    def exchange_channel_key(self, channel_id: str) -> MadeChannelData:
        return self.post(MadeChannelData, path_of("notifications", channel_id, "key"), {})

    def test_channel(self, channel_id: str) -> DeliveryData:
        return self.post(DeliveryData, path_of("notifications", channel_id, "test"), {})

    def preview_channel(self, channel_id: str, event: str = "") -> SentPreviewData:
        asked = f"?event={event}" if event.replace(".", "").replace("_", "").isalnum() else ""
        return self.get(SentPreviewData, path_of("notifications", channel_id, "preview") + asked)

    def deliveries(
        self, channel_id: str = "", *, limit: int | None = None, status: str | None = None
    ) -> Page[DeliveryData]:
        """Of one channel, or of all."""
        path = path_of("notifications", channel_id, "deliveries") if channel_id else "/deliveries"
        return self.listed(DeliveryData, path, limit, status=status)

    def delivery(self, delivery_id: str) -> DeliveryData:
        return self.get(DeliveryData, path_of("deliveries", delivery_id))

    def redeliver(self, delivery_id: str) -> DeliveryData:
        return self.post(DeliveryData, path_of("deliveries", delivery_id, "redeliver"), {})
