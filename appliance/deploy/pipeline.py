"""The story of a deployment: unpack, inspect, publish, probe, mark live, tidy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

from appliance.access.actor import HOMEPORT
from appliance.access.record import record_of
from appliance.backends.base import Backend
from appliance.context import Context
from appliance.deploy import approvals, compress, earlier, freeze, frozen, paths, releases, tidy
from appliance.deploy.assemble import Witness, make_release
from appliance.deploy.places import backend_of, site_of
from appliance.deploy.run import Run
from appliance.deploy.xray import after, during
from appliance.errors import BadBundle, Cancelled, HomeportError, HostFailed
from appliance.events import DeploymentChanged, JobAdded
from appliance.machine import files
from appliance.model.amounts import how_many
from appliance.model.deployments import Deployment, Failure
from appliance.model.environments import Environment
from appliance.model.sites import Release, Site
from appliance.store import bundles, deployments, environments, jobs, journal, urls
from appliance.store import releases as release_rows
from appliance.store import rules as rule_rows
from appliance.store.db import Connection

TRIES = 3
FAULT_TODO = ("Try again.", "If it happens again, report it with the lines around it from Homeport's journal.")


def deploy(ctx: Context, deployment_id: str, attempts: int) -> None:
    """Take one deployment to its end, good or bad; what was live stays live until the new one is proven."""
    deployment = deployments.find(ctx.db.read(), deployment_id)
    if deployment is None or deployment.over:
        return
    run = _begin(ctx, deployment, attempts)
    if run is None:
        return
    try:
        environment = _environment(ctx, deployment)
        _refuse_endless(attempts)
        with run.step("unpack"):
            release = unpack(run)
        with run.step("inspect"):
            release = inspect(run, release)
        site, backend, previous = (
            site_of(ctx, environment),
            backend_of(ctx, environment),
            _live_release(ctx, environment),
        )
        with _taken_back_on_failure(run, site, backend, previous):
            with run.step("publish"):
                publish(run, site, backend, release)
            with run.step("probe"):
                probe(run, site, backend, release, previous)
            with run.step("mark live"):
                mark_live(run, environment)
        with run.step("tidy"):
            tidy.forget_old(ctx)
            earlier.keep(ctx, environment, release)
            removed = releases.remove_beyond(ctx, environment.id)
            run.detail(f"{how_many(removed, 'old release')} removed; every bundle is kept" if removed else "")
        _end(run, "succeeded")
    except Cancelled:
        run.log.info(f"Cancelled by {_who_cancelled(ctx, deployment)}")
        _end(run, "cancelled")
    except HomeportError as why:
        _fail(run, why)
    except OSError as why:
        _fail(run, files.refusal(why))


def end_in_fault(ctx: Context, deployment_id: str) -> None:
    """A fault of ours is an end too: nobody waits for ever."""
    deployment = deployments.find(ctx.db.read(), deployment_id)
    if deployment is not None and not deployment.over:
        _fail(Run(ctx, deployment), HomeportError("Homeport met an error of its own.", code="fault", todo=FAULT_TODO))


def unpack(run: Run) -> Release:
    """Make the release, or find it made: the same files are the same release."""
    ctx, deployment = run.ctx, run.deployment
    bundle = bundles.find(ctx.db.read(), deployment.bundle)
    if bundle is not None and bundle.release is not None and releases.ready(ctx, bundle.release):
        run.log.info("This bundle is unpacked already")
        run.detail(f"{how_many(deployment.files, 'file')}, unpacked before")
        return paths.release(ctx, bundle.release)
    began = monotonic()
    made = make_release(ctx, deployment.bundle, Witness(run.log.info, run.log.warn, run.progress, run.cancelled))
    run.log.info(f"Unpacked in {monotonic() - began:.2f} s")
    run.detail(how_many(made.files, "file"))
    return paths.release(ctx, made.name)


def inspect(run: Run, release: Release) -> Release:
    """Say what will be served and how, before it is; from here on that is frozen."""
    ctx, deployment = run.ctx, run.deployment
    served = releases.manifest_of(ctx, release.name)
    if "index.html" in served:
        run.log.info("index.html at the top")
    else:
        run.log.warn("No index.html at the top: visitors of / get the page for what is not there")
    if "404.html" in served:
        run.log.info("404.html answers for what is not there")
    if "200.html" in served:
        run.log.info("200.html answers for every path without a file: single-page fallback")
    rules = freeze.rules_for(run, release, served)
    with ctx.write() as db:
        rule_rows.keep(db, rules)
        deployments.set_release(db, deployment.id, release.name, rules.key)
        deployments.set_files(db, deployment.id, len(served))
    run.detail(how_many(len(served), "file"))
    frozen_release = replace(release, rules=rules)
    during.before_live(run, frozen_release, served)
    return frozen_release


def publish(run: Run, site: Site, backend: Backend, release: Release) -> None:
    """Make visitors get the new release; the journal knows before the host does."""
    intent = {"pointer": str(site.pointer), "release": release.name, "hosts": list(site.hosts)}
    with run.ctx.write() as db:
        journal.begin(db, "publish", run.deployment.id, intent, run.ctx.moment())
    backend.publish(site, release, run.say)


def probe(run: Run, site: Site, backend: Backend, release: Release, previous: Release | None) -> None:
    """Look as a visitor would; only what is seen counts as live."""
    probes = backend.probe(site, release, previous)
    for one in probes:
        (run.log.info if one.ok else run.log.error)(f"{one.url} {one.detail}")
    red = [one for one in probes if not one.ok]
    if red:
        raise HostFailed(
            f"{red[0].url} did not answer with the new release: {red[0].detail}.",
            code="probe_failed",
            todo=(
                f"Look at what answers for {red[0].url} on this host.",
                "Try again. The bundle is kept, so there is nothing to upload.",
            ),
        )
    run.detail(f"{len(probes)} {'address answers' if len(probes) == 1 else 'addresses answer'}")


def mark_live(run: Run, environment: Environment) -> None:
    """From here on the new one is what is live, whatever happens."""
    ctx, deployment = run.ctx, run.deployment
    with ctx.write(JobAdded()) as db:
        if deployments.cancel_asked(db, deployment.id):
            raise Cancelled("The deployment was cancelled.")
        before = environments.by_id(db, environment.id)
        if before is not None and before.live != deployment.id:  # a second time after a stop tells nothing new
            deployments.set_replaced(db, deployment.id, before.live)
        environments.set_live(db, environment.id, deployment.id)
        journal.close(db, "publish", deployment.id, status="done", outcome="published and probed", at=ctx.moment())
        for url in urls.of_environment(db, environment.id):
            if url.status != "active":
                jobs.drop(db, "url.attach", url.host)
                jobs.add(db, "url.attach", url.host, queue="hosts", at=ctx.moment())
        record_of(ctx, db, HOMEPORT, "deployment.live", deployment)
    run.log.info(f"#{deployment.number} is live in {deployment.place}")


def _begin(ctx: Context, deployment: Deployment, attempts: int) -> Run | None:
    """None when it was overtaken or cancelled at the last moment."""
    run = Run(ctx, deployment)
    changed = DeploymentChanged(deployment.id, deployment.project, deployment.environment)
    with ctx.write(changed) as db:
        if frozen.held(db, deployment) or approvals.held(db, deployment):
            return None
        deployments.start(db, deployment.id, ctx.moment())
        now = deployments.find(db, deployment.id)
    if now is None or now.over:
        return None
    if attempts > 1:
        run.log.warn("Homeport stopped in the middle of this deployment; it begins again")
    return run


def _environment(ctx: Context, deployment: Deployment) -> Environment:
    found = environments.by_id(ctx.db.read(), deployment.environment_id)
    if found is None:
        raise Cancelled("The environment was deleted meanwhile.")
    return found


def _refuse_endless(attempts: int) -> None:
    if attempts > TRIES:
        raise HostFailed(
            f"Homeport was stopped {TRIES} times in the middle of this deployment, so it is not begun again.",
            code="stopped",
            todo=("Look in the journal of the host for why Homeport stopped.", "Try again."),
        )


def _live_release(ctx: Context, environment: Environment) -> Release | None:
    """What is live by the record, not by what a run that died left behind."""
    live = deployments.find(ctx.db.read(), environment.live) if environment.live else None
    return freeze.release_of(ctx, live) if live else None


@contextmanager
def _taken_back_on_failure(run: Run, site: Site, backend: Backend, previous: Release | None) -> Iterator[None]:
    """Anything that fails before `live` leaves the previous release live."""
    proven = False
    try:
        yield
        proven = True
    finally:
        if not proven and not _is_live(run):
            _take_back(run, site, backend, previous)


def _is_live(run: Run) -> bool:
    """By the record, which decides: a fault after that was written takes nothing back."""
    now = deployments.find(run.ctx.db.read(), run.deployment.id)
    return now is not None and now.live


def _take_back(run: Run, site: Site, backend: Backend, previous: Release | None) -> None:
    """What can't be taken back now is put right on the next start; the first failure is the one to report."""
    try:
        backend.unpublish(site, previous, run.log.info)
    except (HomeportError, OSError) as worse:
        run.log.error(f"Taking it back failed as well: {worse}")
        return
    with run.ctx.write() as db:
        journal.close(db, "publish", run.deployment.id, status="undone", outcome="taken back", at=run.ctx.moment())
    run.log.info(
        "Taken back: visitors get what they got before" if previous else "Taken back: nothing is live here yet"
    )


def _fail(run: Run, why: HomeportError) -> None:
    if _is_live(run):
        run.log.warn(f"{why.detail} What is live is not touched by that.")
        _end(run, "succeeded")
        return
    failure = Failure(why.code, run.ctx.redact(why.detail), why.todo, run.ctx.redact(why.said))
    if why.said:
        run.log.error(why.said)
    run.log.error(f"{why.detail} What was live stays live.")
    if isinstance(why, BadBundle):
        _forget_bad_bundle(run.ctx, run.deployment)
    _end(run, "failed", failure)


def _forget_bad_bundle(ctx: Context, deployment: Deployment) -> None:
    """A refused bundle leaves nothing behind, unless it was good before or another deployment is about to try it."""
    with ctx.write() as db:
        if not bundles.wanted(db, deployment.bundle, but_by=deployment.id):
            bundles.remove(db, deployment.bundle)
            paths.bundle_file(ctx, deployment.bundle).unlink(missing_ok=True)


def _end(run: Run, status: str, failure: Failure | None = None) -> None:
    ctx, deployment = run.ctx, run.deployment
    if status != "succeeded":
        run.rest_not_started()
    changed = DeploymentChanged(deployment.id, deployment.project, deployment.environment)
    with ctx.write(changed, JobAdded()) as db:
        deployments.finish(db, deployment.id, status, ctx.moment(), failure)
        if status == "failed" and failure is not None:
            record_of(ctx, db, HOMEPORT, "deployment.failed", deployment, why=failure.detail)
        if status == "cancelled":
            record_of(ctx, db, HOMEPORT, "deployment.cancelled", deployment)
        _have_settled(ctx, db, deployment)


def _have_settled(ctx: Context, db: Connection, deployment: Deployment) -> None:
    """Visitors have waited for nothing that is for later: the disk, and the next deployment."""
    now = deployments.find(db, deployment.id)
    kept = release_rows.find(db, now.release) if now and now.release else None
    if kept and not kept.written and not jobs.has(db, "release.settle", kept.name):
        jobs.add(db, "release.settle", kept.name, queue="disk", at=ctx.moment())
    releases.ask_to_forget(ctx, db)
    if now and kept:
        after.ask_for(db, now, ctx.moment())
    if now and kept and now.status == "succeeded":
        compress.ask_for(db, kept.name, ctx.moment())


def _who_cancelled(ctx: Context, deployment: Deployment) -> str:
    found = deployments.find(ctx.db.read(), deployment.id)
    return (found.cancel_asked_by if found else None) or "Homeport"
