"""What others found out about a release, in the words of the X-ray."""

from collections.abc import Iterable

from appliance.context import Context
from appliance.deploy import contents, freeze, paths
from appliance.deploy.submit import limits
from appliance.deploy.xray.findings import found
from appliance.errors import HomeportError
from appliance.model.amounts import how_many
from appliance.model.deployments import Deployment
from appliance.model.manifests import Manifest
from appliance.model.site_settings import SiteSettings
from appliance.model.sites import Release
from appliance.model.xrays import Finding

_HARMLESS = (
    ".ds_store",
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "._",
)  # left by a system, not by a person


def found_by_others(ctx: Context, deployment: Deployment, release: Release, served: Manifest) -> Iterable[Finding]:
    yield from _rules(release, served)
    yield from _left_out(ctx, deployment)


def _rules(release: Release, served: Manifest) -> Iterable[Finding]:
    _, ignored = freeze.rules_of(release, served, SiteSettings())
    if ignored:
        yield found(
            "bad_rules",
            f"{how_many(len(ignored), 'line')} of _redirects or _headers "
            f"{'has' if len(ignored) == 1 else 'have'} no effect.",
            [one.words for one in ignored],
            "Correct or remove them.",
        )


def _left_out(ctx: Context, deployment: Deployment) -> Iterable[Finding]:
    file = paths.bundle_file(ctx, deployment.bundle)
    try:
        held = contents.of_bundle(file, deployment.bundle, limits(ctx)) if file.exists() else None
    except (HomeportError, OSError):
        return
    names = [one.name for one in held.left_out if not one.name.lower().startswith(_HARMLESS)] if held else []
    if names:
        yield found(
            "left_out",
            f"{', '.join(names[:3])} {'was' if len(names) == 1 else 'were'} in the bundle and left out: "
            "nobody can get at it here.",
            names,
            "See how it came into the build: whoever gets the bundle elsewhere gets it too.",
        )
