"""How environments answer."""

from collections.abc import Mapping

from appliance.client.address import place_of
from appliance.client.connection import Connection
from appliance.client.shapes import GuardData, PreviewData, SiteData


class Sites(Connection):
    """Settings for deployments to come, and what stands before a site at once."""

    def site(self, project: str, environment: str) -> SiteData:
        return self.get(SiteData, place_of(project, environment, "site"))

    def change_site(self, project: str, environment: str, settings: Mapping[str, object]) -> SiteData:
        return self.post(SiteData, place_of(project, environment, "site"), settings, "PUT")

    def preview_site(self, project: str, environment: str, settings: Mapping[str, object]) -> PreviewData:
        return self.post(PreviewData, place_of(project, environment, "site", "preview"), settings)

    def guard(self, project: str, environment: str) -> GuardData:
        return self.get(GuardData, place_of(project, environment, "guard"))

    def change_guard(self, project: str, environment: str, changes: Mapping[str, str | None]) -> GuardData:
        return self.post(GuardData, place_of(project, environment, "guard"), changes, "PATCH")
