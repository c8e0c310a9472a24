"""X-rays, and deployments side by side."""

from typing import TypedDict

import httpx

from appliance.client.address import given, path_of
from appliance.client.connection import Connection


class FindingData(TypedDict):
    code: str
    level: str
    text: str
    count: int
    examples: list[str]
    todo: str


class NamesData(TypedDict):
    count: int
    size: int
    names: list[str]


class WeightData(TypedDict):
    path: str
    size: int


class XrayData(TypedDict):
    state: str
    against: str | None
    files: int
    size: int
    added: NamesData
    removed: NamesData
    changed: NamesData
    findings: list[FindingData]
    heaviest_files: list[WeightData]
    pages: int
    page_weight: int
    heaviest_pages: list[WeightData]
    generator: str
    single_page: bool


class FileChangeData(TypedDict):
    path: str
    before: int | None
    after: int | None


class ChangesData(TypedDict):
    count: int
    files: list[FileChangeData]


class ComparisonData(TypedDict):
    before: str
    after: str
    same_files: bool
    added: ChangesData
    removed: ChangesData
    changed: ChangesData
    size_before: int
    size_after: int
    rules: list[str]
    findings_new: list[FindingData]
    findings_gone: list[FindingData]


class Xrays(Connection):
    """What is in deployments."""

    def xray(self, deployment_id: str, *, wait: float | None = None) -> XrayData:
        timeout = httpx.Timeout(self.timeout + (wait or 0))
        path = path_of("deployments", deployment_id, "xray")
        return self.shaped(XrayData, "GET", path, params=given(wait=wait), timeout=timeout)

    def compare(self, deployment_id: str, other: str) -> ComparisonData:
        path = path_of("deployments", deployment_id, "compare")
        return self.shaped(ComparisonData, "GET", path, params={"with": other})
