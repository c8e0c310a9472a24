"""The X-ray in a deployment: a glance before it goes live, and a whole look where that decides whether it does."""

from appliance.context import Context
from appliance.deploy import freeze, releases
from appliance.deploy.run import Run
from appliance.deploy.xray import glance, look, remembered
from appliance.deploy.xray.others import found_by_others
from appliance.errors import Conflict
from appliance.model.amounts import how_many
from appliance.model.manifests import Manifest
from appliance.model.site_settings import SiteSettings
from appliance.model.sites import Release
from appliance.model.xrays import Finding, Report
from appliance.store import deployments, environments, xrays


def before_live(run: Run, release: Release, served: Manifest) -> None:
    """Say what is seen, and stop what the environment doesn't let through.

    Going back is never stopped. Like a promotion that nothing may stop, it is looked at once it is live: both are
    to be there at once, and what they bring was seen before.
    """
    ctx, deployment = run.ctx, run.deployment
    environment = environments.by_id(ctx.db.read(), deployment.environment_id)
    if environment is None or deployment.source == "rollback":
        return
    block = SiteSettings.of(environment.site).block
    if deployment.source != "upload" and not block:
        return
    against, earlier, before = _live_before(ctx, environment.live)
    if block:
        memory = remembered.of_release(ctx, release.name, earlier)
        report = look(
            release.path,
            served,
            before,
            release.rules,
            against=against,
            more=found_by_others(ctx, deployment, release, served),
            tick=lambda: _stop(run),
            memory=memory,
        )
        remembered.keep(ctx, release.name, memory)
    else:
        report = glance(served, before, against)
    with ctx.write(lasting=False) as db:
        xrays.keep(db, deployment.id, report)
    _say(run, report)
    _refuse([one for one in report.findings if one.code in block], deployment.environment)


def _live_before(ctx: Context, live: str | None) -> tuple[str | None, str | None, Manifest | None]:
    """The deployment, its release and the files of that."""
    found = deployments.find(ctx.db.read(), live) if live else None
    release = freeze.release_of(ctx, found) if found else None
    if found is None or release is None or not releases.ready(ctx, release.name):
        return None, None, None
    return found.id, release.name, releases.manifest_of(ctx, release.name)


def _say(run: Run, report: Report) -> None:
    if report.against is not None:
        run.log.info(
            f"Against what is live: {how_many(report.added.count, 'new file')}, {report.changed.count:,} changed, "
            f"{report.removed.count:,} gone"
        )
    for one in report.warnings:
        run.log.warn(f"{one.text} {'; '.join(one.examples[:3])}".strip())


def _refuse(findings: list[Finding], environment: str) -> None:
    if findings:
        raise Conflict(
            f"The X-ray found what {environment} does not let through: {' '.join(one.text for one in findings)}",
            code="xray",
            todo=(
                *dict.fromkeys(one.todo for one in findings),
                f"Or let it through: change what stops a deployment in {environment} "
                f"({', '.join(one.code for one in findings)}).",
            ),
        )


def _stop(run: Run) -> None:
    if run.cancelled():
        run.stop_if_cancelled()
