"""Settings: reading them, changing them, trying what they lead to."""

from collections.abc import Mapping
from typing import TypedDict

from appliance.client.address import path_of
from appliance.client.connection import Connection
from appliance.client.shapes import CheckData, Page


class SettingData(TypedDict):
    name: str
    env: str
    text: str
    secret: bool
    value: str | None
    set: bool
    saved_at: str | None
    saved_by: str | None


class Settings(Connection):
    def settings(self) -> Page[SettingData]:
        return self.get(Page[SettingData], "/settings")

    def change_settings(self, values: Mapping[str, str | None]) -> Page[SettingData]:
        """None forgets what was saved, so that the environment or the default counts again."""
        return self.post(Page[SettingData], "/settings", values, "PATCH")

    def test_settings(self, area: str, to: str = "") -> Page[CheckData]:
        return self.post(Page[CheckData], path_of("settings", area, "test"), {"to": to} if to else {})
