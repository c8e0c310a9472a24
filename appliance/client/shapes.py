"""What the API answers, as it comes out of its JSON."""

from typing import Generic, NotRequired, TypedDict, TypeVar

T = TypeVar("T")


class Page(TypedDict, Generic[T]):
    items: list[T]
    next: str | None


class SessionData(TypedDict):
    token: str
    expires_at: str
    person: NotRequired[dict[str, str]]  # of a set-up


class Made(TypedDict):
    created_at: str
    created_by: str


class HeldData(TypedDict):
    project: str
    environment: str | None
    role: str
    team: str | None


class MeData(TypedDict):
    id: str
    email: str
    role: str
    kind: str
    name: str
    permissions: list[str]
    grants: list[HeldData]


class KeyData(TypedDict):
    id: str
    name: str
    prefix: str
    projects: list[str] | None
    environments: list[str] | None
    permissions: list[str] | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    last_used_from: str | None
    key: NotRequired[str]  # of a new one


class BegunData(TypedDict):
    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class PersonData(TypedDict):
    id: str
    email: str
    role: str
    created_at: str


class GrantData(Made):
    id: str
    person: str | None
    team: str | None
    project: str
    environment: str | None
    role: str


class PortraitData(PersonData):
    teams: list[str]
    grants: list[GrantData]
    second_factor: bool
    last_seen_at: str | None


class TeamData(Made):
    name: str
    members: list[PersonData]
    grants: list[GrantData]


class PromisedData(TypedDict):
    project: str
    environment: str | None
    role: str


class InvitationData(Made):
    id: str
    email: str
    role: str
    grants: list[PromisedData]
    joining: bool
    expires_at: str
    link: NotRequired[str]  # of a new one
    sent: NotRequired[bool]


class ProjectData(Made):
    name: str
    address: str
    environments: list[str]


class FreesData(TypedDict):
    environments: list[str]
    stops_answering: list[str]
    deployments: int
    bundles_kept: int


class StepData(TypedDict):
    name: str
    status: str
    started_at: str | None
    finished_at: str | None
    detail: str


class FailureData(TypedDict):
    code: str
    detail: str
    todo: list[str]
    said: str


class AheadData(TypedDict):
    id: str
    number: int
    status: str
    started_at: str | None


class QueueData(TypedDict):
    position: int
    after: list[AheadData]
    cause: str


class InShortData(TypedDict):
    state: str
    warnings: int
    notes: int
    added: int
    removed: int
    changed: int


class ApprovalData(TypedDict):
    status: str
    expires_at: str
    by: str | None
    at: str | None
    reason: str
    link: str | None


class ApprovalRuleData(TypedDict):
    hours: int
    rollbacks: bool


class DeploymentData(Made):
    id: str
    number: int
    project: str
    environment: str
    status: str
    live: bool
    source: str
    origin: str | None
    bundle: str
    release: str | None
    variables: str | None
    size: int
    files: int
    steps: list[StepData]
    error: FailureData | None
    overtaken_by: str | None
    queue: QueueData | None
    approval: ApprovalData | None
    permanent: str | None
    xray: InShortData | None
    address: str
    started_at: str | None
    finished_at: str | None


class PartData(TypedDict):
    status: str
    detail: str
    note: str


class CertificateData(TypedDict):
    host: str
    tls: str
    status: str
    detail: str
    error: str | None
    issuer: str
    expires: str | None
    renews_at: str | None
    redirect: bool
    hsts: int


class UrlData(Made):
    host: str
    project: str
    environment: str
    status: str
    error: str | None
    nginx: PartData
    dns: PartData
    proxied: bool | None
    primary: bool
    redirect_to: str | None
    redirect_status: int | None
    allow: list[str]
    user: str
    password: bool
    certificate: CertificateData | None


class FreezeData(TypedDict):
    message: str
    by: str
    at: str


class NamedData(TypedDict):
    id: str
    number: int


RolledBackData = TypedDict("RolledBackData", {"from": NamedData, "to": NamedData, "by": str, "at": str})


class EnvironmentData(TypedDict):
    name: str
    project: str
    backend: str
    address: str
    live: DeploymentData | None
    urls: list[UrlData]
    frozen: FreezeData | None
    approval: ApprovalRuleData | None
    rolled_back: RolledBackData | None
    created_at: str


class SiteData(TypedDict):
    clean_urls: bool
    fallback: bool
    pages: str
    fingerprinted: str
    bridge_hours: int
    block: list[str]


class AnswerData(TypedDict):
    path: str
    now: str
    then: str


class PreviewData(TypedDict):
    answers: list[AnswerData]
    single_page: bool
    ignored: list[str]


class GuardData(TypedDict):
    user: str
    password: bool
    maintenance: str


class BundleData(Made):
    sha256: str
    size: int
    files: int
    unpacked: int
    filename: str
    release: str | None
    made: bool


class ArrivedData(TypedDict):
    kept: int
    known: int


class ActivityData(TypedDict):
    id: int
    at: str
    actor: str
    actor_kind: str
    verb: str
    subject: str
    project: str | None
    environment: str | None
    deployment: str | None
    door: str
    ip: str | None
    data: dict[str, object]
    person: str | None
    key_id: str | None
    hash: str


class OldReleaseData(TypedDict):
    name: str
    files: int
    unpacked: int
    made_at: str
    deployments: list[str]


class CleanupData(TypedDict):
    releases: list[OldReleaseData]
    contents: int
    bytes: int
    addresses: int
    kept: int
    looked_at: str


class LogLine(TypedDict):
    number: int
    at: str
    step: str
    level: str
    text: str


class BackupData(Made):
    id: str
    place: str
    name: str
    status: str
    size: int | None
    sha256: str | None
    error: str | None
    finished_at: str | None


class CheckData(TypedDict):
    name: str
    status: str
    text: str
    mend: str
