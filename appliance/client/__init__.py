"""Homeport's API from the outside: the one client of the command line, the tests and scripts."""

from appliance.client.access import Access
from appliance.client.account import Account, DeviceData
from appliance.client.activity import FlawData, Record, VerifiedData
from appliance.client.address import is_loopback, server_url
from appliance.client.backups import Backups
from appliance.client.certificates import Certificates
from appliance.client.cleanup import Cleanup
from appliance.client.contents import Content, Contents
from appliance.client.deployments import Deployments
from appliance.client.device import Device
from appliance.client.dns import Dns, DnsRecordData
from appliance.client.mail import Mail
from appliance.client.nginx import EditData, Edits, NginxData
from appliance.client.notifications import (
    AttemptData,
    ChannelData,
    DeliveryData,
    MadeChannelData,
    Notifications,
    SentPreviewData,
)
from appliance.client.people import People
from appliance.client.problems import ClientError, Unreachable
from appliance.client.projects import Projects
from appliance.client.settings import ProcessLine, SettingChangeData, SettingData, Settings, SettingsPlanData
from appliance.client.shapes import (
    ActivityData,
    ArrivedData,
    BackupData,
    BundleData,
    CertificateData,
    CheckData,
    CleanupData,
    DeploymentData,
    EnvironmentData,
    FailureData,
    FreesData,
    FreezeData,
    GrantData,
    GuardData,
    HeldData,
    InvitationData,
    KeyData,
    LogLine,
    Made,
    MeData,
    Page,
    PartData,
    PersonData,
    PortraitData,
    PreviewData,
    ProjectData,
    RolledBackData,
    SessionData,
    SiteData,
    StepData,
    TeamData,
    UrlData,
)
from appliance.client.sign_in import IdentityData, ProviderData, SignIn
from appliance.client.sites import Sites
from appliance.client.upload import Upload
from appliance.client.uploads import Uploads
from appliance.client.variables import ChangeData, ImportedData, VariableData, Variables
from appliance.client.xrays import ChangesData, ComparisonData, FindingData, NamesData, WeightData, XrayData, Xrays

__all__ = [
    "ActivityData",
    "ArrivedData",
    "AttemptData",
    "BackupData",
    "BundleData",
    "CertificateData",
    "ChangeData",
    "ChangesData",
    "ChannelData",
    "CheckData",
    "CleanupData",
    "Client",
    "ClientError",
    "ComparisonData",
    "Content",
    "DeliveryData",
    "DeploymentData",
    "DeviceData",
    "DnsRecordData",
    "EditData",
    "EnvironmentData",
    "FailureData",
    "FindingData",
    "FlawData",
    "FreesData",
    "FreezeData",
    "GrantData",
    "GuardData",
    "HeldData",
    "IdentityData",
    "ImportedData",
    "InvitationData",
    "KeyData",
    "LogLine",
    "Made",
    "MadeChannelData",
    "MeData",
    "NamesData",
    "NginxData",
    "Page",
    "PartData",
    "PersonData",
    "PortraitData",
    "PreviewData",
    "ProcessLine",
    "ProjectData",
    "ProviderData",
    "RolledBackData",
    "SentPreviewData",
    "SessionData",
    "SettingChangeData",
    "SettingData",
    "SettingsPlanData",
    "SiteData",
    "StepData",
    "TeamData",
    "Unreachable",
    "Upload",
    "UrlData",
    "VariableData",
    "VerifiedData",
    "WeightData",
    "XrayData",
    "is_loopback",
    "server_url",
]


class Client(
    Account,
    Access,
    Device,
    Projects,
    Deployments,
    Contents,
    Uploads,
    Sites,
    Variables,
    Cleanup,
    Backups,
    Xrays,
    Dns,
    Edits,
    Certificates,
    Record,
    Mail,
    Notifications,
    SignIn,
    People,
    Settings,
):
    """Everything that one can ask of a server."""
