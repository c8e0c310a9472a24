"""The rules that a deployment answers by: worked out once, then kept with it."""

from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.run import Run
from appliance.model.deployments import Deployment
from appliance.model.manifests import Manifest
from appliance.model.rules import Rules
from appliance.model.sites import Release
from appliance.store import bundles, deployments, rules


def rules_for(run: Run, release: Release, served: Manifest) -> Rules:
    """A rollback answers as it did then; anything else by what its files and its environment say now."""
    origin = run.deployment.origin if run.deployment.source == "rollback" else None
    frozen = _frozen_with(run.ctx, origin) if origin else None
    return frozen or Rules(fallback="200.html" if "200.html" in served else "")


def release_of(ctx: Context, deployment: Deployment) -> Release | None:
    """What a deployment made live, as it was then; None for one that came to nothing."""
    bundle = bundles.find(ctx.db.read(), deployment.bundle)
    name = deployment.release or (bundle.release if bundle else None)
    if name is None:
        return None
    kept = rules.find(ctx.db.read(), deployment.rules) if deployment.rules else None
    return paths.release(ctx, name, kept or Rules())


def _frozen_with(ctx: Context, deployment_id: str) -> Rules | None:
    key = deployments.find(ctx.db.read(), deployment_id)
    return rules.find(ctx.db.read(), key.rules) if key and key.rules else None
