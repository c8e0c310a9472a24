"""What the API answers: dataclasses, so that the docs are drawn from them."""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any

from appliance.context import Context
from appliance.deploy import approvals, permanent, rolled_back
from appliance.deploy.places import address
from appliance.deploy.queue import Queue, place_in_line
from appliance.deploy.rolled_back import RolledBack
from appliance.model.approvals import ApprovalRule
from appliance.model.certificates import Certificate
from appliance.model.deployments import Deployment, Failure, Step
from appliance.model.environments import Environment, Freeze
from appliance.model.projects import Project
from appliance.model.urls import Part, Url
from appliance.model.xrays import Summary
from appliance.store import deployments, environments, urls, xrays
from appliance.store.sight import Sight, sees


@dataclass(frozen=True)
class ProjectShape:
    name: str
    address: Annotated[str, "Where its production answers"]
    environments: Annotated[tuple[str, ...], "The names of its environments"]
    created_at: str
    created_by: str


@dataclass(frozen=True)
class ApprovalShape:
    status: Annotated[str, "`waiting`, `approved`, `rejected`, `expired`, or `withdrawn`: it ended some other way"]
    expires_at: Annotated[str, "Until when somebody can approve it"]
    by: Annotated[str | None, "Who decided"]
    at: Annotated[str | None, "When"]
    reason: str
    link: Annotated[str | None, "While it waits: where whoever may decides"]


@dataclass(frozen=True)
class DeploymentShape:
    id: str
    number: Annotated[int, "Counts up in its project"]
    project: str
    environment: str
    status: Annotated[str, "`queued`, `running`, `succeeded`, `failed`, `cancelled` or `skipped`"]
    live: Annotated[bool, "Whether visitors get this one now"]
    source: Annotated[str, "`upload`, `rollback`, `promotion` or `variables`"]
    origin: Annotated[str | None, "For a rollback, a promotion or new variables: the deployment whose release it is"]
    bundle: Annotated[str, "The bundle's SHA-256"]
    release: Annotated[str | None, "The release that it made live: the SHA-256 of the list of its files"]
    variables: Annotated[str | None, "The version of the variables that it was made with; null for none"]
    size: Annotated[int, "Bytes of the bundle"]
    files: Annotated[int, "Files in it"]
    steps: tuple[Step, ...]
    error: Failure | None
    overtaken_by: Annotated[str | None, "For a skipped one: the deployment that overtook it"]
    queue: Annotated[Queue | None, "For a queued one: where it stands in line, and why it waits"]
    approval: Annotated[ApprovalShape | None, "Where its environment asks for a second person"]
    xray: Annotated[Summary | None, "What was seen in it, in numbers"]
    address: Annotated[str, "Where its environment answers"]
    permanent: Annotated[str | None, "Where this very deployment answers, while its release is kept"]
    created_by: str
    created_at: str
    started_at: str | None
    finished_at: str | None


@dataclass(frozen=True)
class CertificateShape:
    host: str
    tls: Annotated[str, "Where it comes from: `off`, `acme`, `internal` or `upload`"]
    status: Annotated[str, "`none`, `waiting`, `pending`, `ok` or `failed`"]
    detail: str
    error: Annotated[str | None, "What went wrong last, and what to do; the one in use stays until its end"]
    issuer: Annotated[str, "Who issued the one in use"]
    expires: Annotated[str | None, "When the one in use ends"]
    renews_at: Annotated[str | None, "When it is renewed, or tried again; for an uploaded one, when you are reminded"]
    redirect: Annotated[bool, "Whether HTTP leads to HTTPS"]
    hsts: Annotated[int, "Seconds for which browsers come back by HTTPS alone"]


@dataclass(frozen=True)
class UrlShape:
    host: str
    project: str
    environment: str
    status: Annotated[str, "`pending`, `active` or `failed`"]
    error: Annotated[str | None, "Why it is not active, and what to do"]
    nginx: Part
    dns: Part
    proxied: bool | None
    primary: Annotated[bool, "Whether it was chosen as the address of its environment; the oldest is until one is"]
    redirect_to: Annotated[str | None, "Where it leads visitors: `primary` or a host; null where it shows the site"]
    redirect_status: Annotated[int | None, "`301`, `302`, `307` or `308`, where it leads elsewhere"]
    allow: Annotated[tuple[str, ...], "Addresses and networks that visitors may come from; empty for any"]
    user: Annotated[str, "The name that goes with its own password; empty without one"]
    password: Annotated[bool, "Whether it asks for a password of its own; itself that is never shown"]
    certificate: Annotated[CertificateShape | None, "How HTTPS stands; null where nobody asked for it"]
    created_at: str
    created_by: str


@dataclass(frozen=True)
class EnvironmentShape:
    name: str
    project: str
    backend: str
    address: Annotated[str, "Where visitors go"]
    live: Annotated[DeploymentShape | None, "What visitors get now"]
    urls: tuple[UrlShape, ...]
    frozen: Annotated[Freeze | None, "Why nothing is deployed to it now"]
    approval: Annotated[ApprovalRule | None, "Whether a deployment waits for a second person"]
    rolled_back: Annotated[RolledBack | None, "Until that is undone or something newer goes live"]
    created_at: str


def plain(value: Any) -> Any:
    """Dataclasses as the dicts that become JSON."""
    if is_dataclass(value):
        return {name.rstrip("_"): plain(one) for name, one in vars(value).items()}
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    return value


def of_projects(ctx: Context, those: tuple[Project, ...], seen: Sight | None = None) -> list[ProjectShape]:
    db = ctx.db.read()
    held = environments.of_projects(db, tuple(project.id for project in those))
    found = {number: [one for one in inside if sees(seen, one.at)] for number, inside in held.items()}
    production = tuple(one.id for several in found.values() for one in several[:1])
    attached = urls.of_environments(db, production)
    return [
        ProjectShape(
            project.name,
            address(ctx, found[project.id][0], attached[found[project.id][0].id]) if found[project.id] else "",
            tuple(one.name for one in found[project.id]),
            project.created_at,
            project.created_by,
        )
        for project in those
    ]


def of_deployment(
    ctx: Context, deployment: Deployment, place: str | None = None, seen: Mapping[str, Summary] | None = None
) -> DeploymentShape:
    db = ctx.db.read()
    if place is None:
        environment = environments.by_id(db, deployment.environment_id)
        place = address(ctx, environment, urls.of_environment(db, environment.id)) if environment else ""
    return DeploymentShape(
        id=deployment.id,
        number=deployment.number,
        project=deployment.project,
        environment=deployment.environment,
        status=deployment.status,
        live=deployment.live,
        source=deployment.source,
        origin=deployment.origin,
        bundle=deployment.bundle,
        release=deployment.release,
        variables=deployment.variables,
        size=deployment.size,
        files=deployment.files,
        steps=deployment.steps,
        error=deployment.error,
        overtaken_by=deployment.overtaken_by,
        queue=place_in_line(ctx, deployment),
        approval=_of_approval(ctx, deployment),
        xray=(xrays.in_short(db, [deployment.id]) if seen is None else seen).get(deployment.id),
        address=place,
        permanent=permanent.address(ctx, deployment),
        created_by=deployment.created_by,
        created_at=deployment.created_at,
        started_at=deployment.started_at,
        finished_at=deployment.finished_at,
    )


def _of_approval(ctx: Context, deployment: Deployment) -> ApprovalShape | None:
    found = deployment.approval
    if found is None:
        return None
    link = ctx.settings.url.rstrip("/") + approvals.link(ctx, deployment) if found.waits else None
    return ApprovalShape(found.status, found.expires_at, found.by, found.at, found.reason, link)


def of_deployments(ctx: Context, those: tuple[Deployment, ...]) -> list[DeploymentShape]:
    """A page of them, looking at each environment once."""
    db = ctx.db.read()
    ids = tuple({one.environment_id for one in those})
    attached = urls.of_environments(db, ids)
    places: dict[int, str] = {}
    for environment_id in ids:
        environment = environments.by_id(db, environment_id)
        places[environment_id] = address(ctx, environment, attached[environment_id]) if environment else ""
    seen = xrays.in_short(db, [one.id for one in those])
    return [of_deployment(ctx, one, places[one.environment_id], seen) for one in those]


def of_environments(ctx: Context, those: tuple[Environment, ...]) -> list[EnvironmentShape]:
    db = ctx.db.read()
    attached = urls.of_environments(db, tuple(one.id for one in those))
    live = deployments.several(db, [one.live for one in those if one.live])
    seen = xrays.in_short(db, list(live))
    back = rolled_back.several(ctx, those)
    shapes = []
    for one in those:
        place = address(ctx, one, attached[one.id])
        now = live.get(one.live) if one.live else None
        shapes.append(
            EnvironmentShape(
                one.name,
                one.project,
                one.backend,
                place,
                of_deployment(ctx, now, place, seen) if now else None,
                tuple(of_url(url) for url in attached[one.id]),
                one.frozen,
                one.approval,
                back.get(one.id),
                one.created_at,
            )
        )
    return shapes


def of_certificate(one: Certificate) -> CertificateShape:
    """Never its key."""
    return CertificateShape(
        one.host,
        one.tls,
        one.status,
        one.detail,
        one.error,
        one.issuer,
        one.expires,
        one.renew_at,
        one.redirect,
        one.hsts,
    )


def of_url(url: Url) -> UrlShape:
    return UrlShape(
        url.host,
        url.project,
        url.environment,
        url.status,
        url.error,
        url.nginx,
        url.dns,
        url.proxied,
        url.primary,
        url.front.redirect_to or None,
        url.front.redirect_status if url.front.redirect_to else None,
        url.front.allow,
        url.front.user,
        bool(url.front.password),
        of_certificate(url.certificate) if url.certificate else None,
        url.created_at,
        url.created_by,
    )
