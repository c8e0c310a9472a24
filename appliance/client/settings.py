"""Settings: reading them, changing them, trying what they lead to."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TypedDict

from appliance.client.address import path_of
from appliance.client.connection import Connection
from appliance.client.shapes import CheckData, Page

YAML = "application/yaml"
AS_YAML = {"Content-Type": YAML}


class SettingData(TypedDict):
    name: str
    env: str
    text: str
    secret: bool
    value: str | None
    set: bool
    saved_at: str | None
    saved_by: str | None


class SettingChangeData(TypedDict):
    name: str
    text: str
    was: str | None
    now: str | None


class SettingsPlanData(TypedDict):
    changes: list[SettingChangeData]
    diff: str
    applied: bool


class ProcessLine(TypedDict):
    id: int
    at: str
    area: str
    level: str
    subject: str
    project: str | None
    text: str
    todo: list[str]


class Settings(Connection):
    def settings(self) -> Page[SettingData]:
        return self.get(Page[SettingData], "/settings")

    def change_settings(self, values: Mapping[str, str | None]) -> Page[SettingData]:
        """None forgets what was saved, so that the environment or the default counts again."""
        return self.post(Page[SettingData], "/settings", values, "PATCH")

    def test_settings(self, area: str, to: str = "") -> Page[CheckData]:
        return self.post(Page[CheckData], path_of("settings", area, "test"), {"to": to} if to else {})

    def export_settings(self) -> bytes:
        """All but the secrets, as YAML."""
        with self.sent("GET", "/settings/file", headers={"Accept": YAML}) as answer:
            return answer.read()

    def preview_settings(self, file: bytes) -> SettingsPlanData:
        return self.shaped(SettingsPlanData, "POST", "/settings/file/preview", content=file, headers=AS_YAML)

    def import_settings(self, file: bytes) -> SettingsPlanData:
        """What is not in it is forgotten; secrets stay."""
        return self.shaped(SettingsPlanData, "PUT", "/settings/file", content=file, headers=AS_YAML)

    def process_log(self, limit: int | None = None, **which: str | None) -> Page[ProcessLine]:
        """What was done outside, newest first; narrowed by `area`, `level`, `q`, `project`, `since`."""
        return self.listed(ProcessLine, "/log", limit, **which)

    def follow_process_log(
        self, after: int = 0, *, lost: Callable[[], None] = lambda: None, **which: str | None
    ) -> Iterator[ProcessLine]:
        """Each line after that number, then each as it comes, until nobody answers any more."""
        for event in self.followed("/log", str(after), lost=lost, **which):
            line: ProcessLine = json.loads(event.data)
            yield line
