"""Homeport's API from the outside: the one client of the command line, the tests and scripts."""

from appliance.client.access import Access
from appliance.client.address import is_loopback, server_url
from appliance.client.backups import Backups
from appliance.client.cleanup import Cleanup
from appliance.client.contents import Content, Contents
from appliance.client.deployments import Deployments
from appliance.client.nginx import EditData, Edits, NginxData
from appliance.client.problems import ClientError, Unreachable
from appliance.client.projects import Projects
from appliance.client.shapes import (
    ActivityData,
    ArrivedData,
    BackupData,
    BundleData,
    CleanupData,
    DeploymentData,
    EnvironmentData,
    FailureData,
    FreesData,
    FreezeData,
    GuardData,
    KeyData,
    LogLine,
    Made,
    MeData,
    Page,
    PartData,
    PreviewData,
    ProjectData,
    RolledBackData,
    SessionData,
    SiteData,
    StepData,
    UrlData,
)
from appliance.client.sites import Sites
from appliance.client.upload import Upload
from appliance.client.uploads import Uploads
from appliance.client.xrays import ChangesData, ComparisonData, FindingData, NamesData, WeightData, XrayData, Xrays

__all__ = [
    "ActivityData",
    "ArrivedData",
    "BackupData",
    "BundleData",
    "ChangesData",
    "CleanupData",
    "Client",
    "ClientError",
    "ComparisonData",
    "Content",
    "DeploymentData",
    "EditData",
    "EnvironmentData",
    "FailureData",
    "FindingData",
    "FreesData",
    "FreezeData",
    "GuardData",
    "KeyData",
    "LogLine",
    "Made",
    "MeData",
    "NamesData",
    "NginxData",
    "Page",
    "PartData",
    "PreviewData",
    "ProjectData",
    "RolledBackData",
    "SessionData",
    "SiteData",
    "StepData",
    "Unreachable",
    "Upload",
    "UrlData",
    "WeightData",
    "XrayData",
    "is_loopback",
    "server_url",
]


class Client(Access, Projects, Deployments, Contents, Uploads, Sites, Cleanup, Backups, Xrays, Edits):
    """Everything that one can ask of a server."""

    def activity(self, limit: int | None = None) -> Page[ActivityData]:
        return self.listed(ActivityData, "/activity", limit)
