"""The rules that a deployment answers by: worked out once, then kept with it."""

from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.run import Run
from appliance.model import header_lines, redirect_lines
from appliance.model.amounts import how_many
from appliance.model.deployments import Deployment
from appliance.model.manifests import Manifest
from appliance.model.rule_lines import MOST_BYTES, Ignored
from appliance.model.rules import Rules
from appliance.model.site_settings import SiteSettings
from appliance.model.sites import Release
from appliance.store import bundles, deployments, environments, rules

ONCE_MORE = frozenset({"rollback", "variables"})
MOST_SAID = 20  # lines of the log about lines without effect


def rules_for(run: Run, release: Release, served: Manifest) -> Rules:
    """What goes live once more answers as it did then; anything else by what its files and its environment say now."""
    origin = run.deployment.origin if run.deployment.source in ONCE_MORE else None
    frozen = _frozen_with(run.ctx, origin, release) if origin else None
    return frozen or _worked_out(run, release, served)


def rules_of(release: Release, served: Manifest, settings: SiteSettings) -> tuple[Rules, tuple[Ignored, ...]]:
    """What files and settings come to, and the lines of the files that come to nothing."""
    redirects, no_redirects = redirect_lines.parse(_read(release, served, redirect_lines.FILE))
    headers, no_headers = header_lines.parse(_read(release, served, header_lines.FILE))
    wanted = ["200.html", *(["index.html"] if settings.fallback else [])]
    made = Rules(
        clean_urls=settings.clean_urls,
        fallback=next((name for name in wanted if name in served), ""),
        redirects=redirects,
        headers=headers,
        pages=settings.pages,
        fingerprinted=settings.fingerprinted,
        bridge=settings.bridge_hours > 0,
    )
    return made, (*no_redirects, *no_headers)


def release_of(ctx: Context, deployment: Deployment) -> Release | None:
    """What a deployment made live, as it was then; None for one that came to nothing."""
    bundle = bundles.find(ctx.db.read(), deployment.bundle)
    name = deployment.release or (bundle.release if bundle else None)
    if name is None:
        return None
    root = paths.release(ctx, name).path
    return paths.release(ctx, name, _kept(ctx, deployment) or paths.unfrozen_rules(root))


def _worked_out(run: Run, release: Release, served: Manifest) -> Rules:
    """The same, said in the log."""
    environment = environments.by_id(run.ctx.db.read(), run.deployment.environment_id)
    settings = SiteSettings.of(environment.site) if environment else SiteSettings()
    made, ignored = rules_of(release, served, settings)
    if made.redirects:
        run.log.info(f"_redirects: {how_many(len(made.redirects), 'redirect')}")
    if made.headers:
        run.log.info(f"_headers: headers for {how_many(len(made.headers), 'path')}")
    for one in ignored[:MOST_SAID]:
        run.log.warn(one.words)
    if len(ignored) > MOST_SAID:
        run.log.warn(f"{how_many(len(ignored) - MOST_SAID, 'more line')} without effect")
    if made.fallback == "index.html":
        run.log.info("index.html answers for every path without a file: single-page fallback")
    return made


def _read(release: Release, served: Manifest, name: str) -> bytes:
    """Nothing where there is no such file; of one that is too large, enough to see that."""
    if name not in served:
        return b""
    with (release.path / name).open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _frozen_with(ctx: Context, deployment_id: str, release: Release) -> Rules | None:
    found = deployments.find(ctx.db.read(), deployment_id)
    if found is None:
        return None
    return _kept(ctx, found) or paths.unfrozen_rules(release.path)


def _kept(ctx: Context, deployment: Deployment) -> Rules | None:
    return rules.find(ctx.db.read(), deployment.rules) if deployment.rules else None
