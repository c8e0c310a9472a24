"""The address that a deployment has for itself, for as long as its release is kept."""

from appliance.context import Context
from appliance.deploy import paths, places
from appliance.model.deployments import ID, Deployment
from appliance.model.rules import Rules
from appliance.model.sites import Release
from appliance.nginx import wildcard
from appliance.store import deployments, domains, releases, rules


def address(ctx: Context, deployment: Deployment) -> str | None:
    """None for one that never went live, and once its release was removed."""
    if not _is_kept(ctx, deployment):
        return None
    if domain := _in_force(ctx):
        return places.through_nginx(ctx, f"{deployment.id}.{domain}")
    return f"http://{deployment.id}.{deployment.project}.localhost:{ctx.base.port}/"


def _in_force(ctx: Context) -> str:
    """The domain of deployments, once NGINX was seen to pass it on to where Homeport listens now."""
    wanted = ctx.settings.nginx_deployments
    now = domains.find(ctx.db.read()) if wanted else None
    good = now and (now.name, now.status, now.upstream) == (wanted, "active", wildcard.upstream(ctx.settings))
    return wanted if good else ""


def find(ctx: Context, name: str, project: str | None = None) -> tuple[Deployment, Release] | None:
    """What a name in an address means; under `.localhost` it stands before its project."""
    if not ID.fullmatch(name):
        return None
    found = deployments.find(ctx.db.read(), name)
    if found is None or (project is not None and found.project != project) or not _is_kept(ctx, found):
        return None
    frozen = rules.find(ctx.db.read(), found.rules) if found.rules else None
    return found, paths.release(ctx, found.release or "", frozen or Rules())


def _is_kept(ctx: Context, deployment: Deployment) -> bool:
    went_live = deployment.status == "succeeded" or deployment.live
    return went_live and deployment.release is not None and releases.find(ctx.db.read(), deployment.release) is not None
