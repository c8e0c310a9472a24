"""The one way in: may they, then bundle, deployment and job in one transaction."""

from dataclasses import dataclass, replace
from datetime import timedelta

from appliance.access.actor import Actor
from appliance.access.missing import no_deployment, no_environment
from appliance.access.permissions import may, need
from appliance.access.record import record_of
from appliance.context import Context
from appliance.deploy import approvals, contents, paths, variables
from appliance.deploy.frozen import refuse_frozen
from appliance.deploy.log import Log
from appliance.deploy.queue import said_in_log
from appliance.deploy.reach import reach_of
from appliance.deploy.receive import Received
from appliance.errors import BadBundle, Conflict, NotFound
from appliance.events import DeploymentChanged, JobAdded
from appliance.machine import archive, clock
from appliance.model.amounts import size
from appliance.model.bundles import Bundle
from appliance.model.deployments import STEPS, Deployment, Step
from appliance.model.environments import Environment
from appliance.model.fields import UNSEEN
from appliance.store import bundles, deployments, environments, jobs, projects
from appliance.store.db import Connection

REMEMBERED = timedelta(days=1)


@dataclass(frozen=True)
class Once:
    """An Idempotency-Key: the same request again gives the deployment that it gave before."""

    key: str


@dataclass(frozen=True)
class _Wish:
    """What was asked for, before anything was worked out from what is live now."""

    environment: Environment
    source: str
    what: str
    once: Once | None

    @property
    def text(self) -> str:
        return f"{self.source} {self.environment.id} {self.what}"


def find_environment(ctx: Context, project: str, name: str) -> Environment:
    found = environments.find(ctx.db.read(), project, name)
    if found is None:
        raise no_environment(project, name)
    return found


def find_deployment(ctx: Context, deployment_id: str) -> Deployment:
    found = deployments.find(ctx.db.read(), deployment_id)
    if found is None:
        raise no_deployment()
    return found


def upload(
    ctx: Context, actor: Actor, environment: Environment, received: Received, *, filename: str, once: Once | None = None
) -> Deployment:
    """Deploy what has just arrived. A bundle that can be refused by its directory alone is refused here."""
    need(actor, "deployments.create", environment.at)
    wish = _Wish(environment, "upload", received.sha256, once)
    holds = contents.take(received.path, received.sha256, limits(ctx))
    bundle = Bundle(
        sha256=received.sha256,
        size=received.size,
        files=holds.files,
        unpacked=holds.unpacked,
        filename=_in_one_line(filename),
        created_at=ctx.moment(),
        created_by=actor.name,
    )
    took = f"{size(received.size)} in {received.seconds:.1f} s"
    return _enqueue(ctx, actor, wish, bundle, detail=took, received=received)


def again(ctx: Context, actor: Actor, environment: Environment, sha256: str, once: Once | None = None) -> Deployment:
    """Deploy a bundle that is here already."""
    need(actor, "deployments.create", environment.at)
    reach, wish = reach_of(ctx, actor), _Wish(environment, "upload", sha256, once)
    if reach is not None and not reach.has_bundle(sha256):
        raise _no_bundle(sha256)
    return _enqueue(ctx, actor, wish, _find_bundle(ctx, sha256), detail="the bundle is here already")


def made(
    ctx: Context, actor: Actor, environment: Environment, bundle: Bundle, *, detail: str, once: Once | None = None
) -> Deployment:
    """Deploy files that are here one by one."""
    need(actor, "deployments.create", environment.at)
    return _enqueue(ctx, actor, _Wish(environment, "upload", bundle.sha256, once), bundle, detail=detail)


def rollback(
    ctx: Context, actor: Actor, environment: Environment, to: str | None, once: Once | None = None
) -> Deployment:
    """A deployment of an older release: no second path."""
    need(actor, "deployments.rollback", environment.at)
    wish = _Wish(environment, "rollback", to or "", once)
    if known := _done_before(ctx, ctx.db.read(), actor, wish):
        return known
    origin = _rollback_target(ctx, actor, environment, to)
    bundle = _find_bundle(ctx, origin.bundle)
    return _enqueue(ctx, actor, wish, bundle, detail=f"the release of #{origin.number}", origin=origin)


def promote(
    ctx: Context, actor: Actor, environment: Environment, source: Environment, once: Once | None = None
) -> Deployment:
    """Make live here what is live there."""
    need(actor, "deployments.promote", environment.at)
    if not may(actor, "deployments.read", source.at):
        raise no_environment(source.project, source.name)
    wish = _Wish(environment, "promotion", str(source.id), once)
    if known := _done_before(ctx, ctx.db.read(), actor, wish):
        return known
    if source.id == environment.id:
        raise Conflict(f"{environment.place} can't be promoted to itself.", todo=("Name another environment.",))
    if source.live is None:
        raise Conflict(f"Nothing is live in {source.place}, so there is nothing to promote.", code="nothing_live")
    origin = find_deployment(ctx, source.live)
    bundle = _find_bundle(ctx, origin.bundle)
    return _enqueue(ctx, actor, wish, bundle, detail=f"the release of #{origin.number}", origin=origin)


def with_variables(ctx: Context, actor: Actor, environment: Environment, once: Once | None = None) -> Deployment:
    """What is live, once more, with the variables as they are now."""
    need(actor, "deployments.create", environment.at)
    wish = _Wish(environment, "variables", "", once)
    if known := _done_before(ctx, ctx.db.read(), actor, wish):
        return known
    if environment.live is None:
        what = f"Nothing is live in {environment.place}: its variables count from its first deployment on."
        raise Conflict(what, code="nothing_live")
    origin = find_deployment(ctx, environment.live)
    detail = f"the release of #{origin.number}, with the variables of now"
    return _enqueue(ctx, actor, wish, _find_bundle(ctx, origin.bundle), detail=detail, origin=origin)


def rollback_targets(ctx: Context, environment: Environment) -> tuple[Deployment, ...]:
    """What went live here earlier and isn't what is live now, newest first, each release once."""
    if environment.live is None:
        return ()
    live = find_deployment(ctx, environment.live)
    seen, found = {live.bundle}, []
    for one in deployments.earlier(ctx.db.read(), environment.id, live.id):
        if one.bundle not in seen:
            seen.add(one.bundle)
            found.append(one)
    return tuple(found)


def limits(ctx: Context) -> archive.Limits:
    settings = ctx.settings
    return archive.Limits(
        max_files=settings.bundle_max_files, max_size=settings.bundle_max_size, names=settings.bundle_names
    )


def _rollback_target(ctx: Context, actor: Actor, environment: Environment, to: str | None) -> Deployment:
    if to is not None:
        target = find_deployment(ctx, to)
        if not may(actor, "deployments.read", target.at):
            raise no_deployment()
        if target.environment_id != environment.id:
            raise Conflict(f"#{target.number} was a deployment to {target.environment}; promote it instead.")
        if target.status != "succeeded":
            raise Conflict(f"#{target.number} {target.status}, so it never went live and can't be gone back to.")
        return target
    for target in _before_live(ctx, environment):
        return target
    raise Conflict(f"Nothing earlier went live in {environment.place}.", code="nothing_earlier")


def _before_live(ctx: Context, environment: Environment) -> tuple[Deployment, ...]:
    """Candidates for a rollback that names none: rolling back twice goes back two."""
    if environment.live is None:
        return ()
    live = find_deployment(ctx, environment.live)
    earlier = deployments.earlier(ctx.db.read(), environment.id, _gone_back_to(ctx, live))
    return tuple(one for one in earlier if one.bundle != live.bundle)


def _gone_back_to(ctx: Context, live: Deployment) -> str:
    """The deployment that stands live again; with new variables it is still the same one."""
    one = live
    while one.source == "variables" and one.origin:
        one = find_deployment(ctx, one.origin)
    return one.origin if one.source == "rollback" and one.origin else live.id


def _find_bundle(ctx: Context, sha256: str) -> Bundle:
    bundle = bundles.find(ctx.db.read(), sha256)
    if bundle is None:
        raise _no_bundle(sha256)
    return bundle


def _no_bundle(sha256: str) -> NotFound:
    return NotFound(f"There is no bundle {sha256[:7]} here. Upload it.", code="no_bundle")


def _keep(ctx: Context, received: Received) -> None:
    """Move the upload to its name; the same bytes are kept once."""
    target = paths.bundle_file(ctx, received.sha256)
    if not target.exists():
        target.parent.mkdir(mode=0o700, exist_ok=True)
        received.path.replace(target)


def _enqueue(
    ctx: Context,
    actor: Actor,
    wish: _Wish,
    bundle: Bundle,
    *,
    detail: str,
    origin: Deployment | None = None,
    received: Received | None = None,
) -> Deployment:
    place = wish.environment
    with ctx.write(JobAdded()) as db:
        if known := _done_before(ctx, db, actor, wish):
            return known
        place_now = _refuse_gone_or_frozen(db, place)
        if received:
            _keep(ctx, received)
        bundles.add(db, bundle)
        deployment = _new(ctx, actor, wish, bundle, detail=detail, origin=origin)
        deployment = replace(deployment, number=projects.next_number(db, place.project_id))
        deployments.add(db, deployment, place.project_id)
        deployment = approvals.asked(ctx, db, actor, place_now, deployment)
        overtaken = deployments.overtake(db, place.id, deployment.id, deployment.created_at)
        deployment = replace(deployment, variables=variables.freeze(ctx, db, place, deployment.id))
        for one in overtaken:
            jobs.drop(db, "deploy", one)
        begins = jobs.NEVER if deployment.approval else deployment.created_at
        jobs.add(db, "deploy", deployment.id, queue=f"environment:{place.id}", at=begins)
        record_of(ctx, db, actor, f"deployment.{_verb(wish.source)}", deployment, origin=deployment.origin_number)
        _remember(ctx, db, actor, wish, deployment)
        begin = (f"{_from(bundle, wish.source)}: {detail}", f"SHA-256 {bundle.sha256}", said_in_log(db, deployment))
        _first_lines(ctx, deployment, begin, overtaken)
    ctx.bus.publish(*(DeploymentChanged(one, place.project, place.name) for one in (deployment.id, *overtaken)))
    return deployment


def _new(
    ctx: Context, actor: Actor, wish: _Wish, bundle: Bundle, *, detail: str, origin: Deployment | None
) -> Deployment:
    """Made inside the transaction, so that ids, which sort by time, come in the order of the numbers."""
    now = ctx.moment()
    return Deployment(
        id=clock.new_id(),
        number=0,
        project=wish.environment.project,
        environment=wish.environment.name,
        environment_id=wish.environment.id,
        status="queued",
        live=False,
        source=wish.source,
        bundle=bundle.sha256,
        size=bundle.size,
        files=bundle.files,
        steps=(Step("upload", "succeeded", now, now, detail), *(Step(name, "waiting") for name in STEPS[1:])),
        error=None,
        created_by=actor.name,
        created_at=now,
        started_at=None,
        finished_at=None,
        origin=origin.id if origin else None,
        origin_number=origin.number if origin else None,
    )


def _first_lines(ctx: Context, deployment: Deployment, begin: tuple[str, ...], overtaken: tuple[str, ...]) -> None:
    """Written before any worker can know of the deployment, so they stand first."""
    log = Log(ctx, deployment.id)
    for line in filter(None, begin):
        log.info(line)
    for one in overtaken:
        Log(ctx, one).info(f"Skipped: #{deployment.number} is newer and overtook it in the queue")


def _refuse_gone_or_frozen(db: Connection, environment: Environment) -> Environment:
    now = environments.by_id(db, environment.id)
    if now is None:
        raise NotFound(f"{environment.place} has just been deleted.", code="no_environment")
    refuse_frozen(now)
    return now


def _done_before(ctx: Context, db: Connection, actor: Actor, wish: _Wish) -> Deployment | None:
    """What came of the same wish under the same key."""
    since = clock.text(ctx.now() - REMEMBERED)
    found = deployments.remembered(db, actor.id, wish.once.key, since) if wish.once else None
    if found is None:
        return None
    if found[0] != wish.text:
        raise Conflict(
            "This Idempotency-Key was used for another request within the last day.",
            code="idempotency_key",
            todo=("Send a new key with a new request.",),
        )
    return deployments.find(db, found[1]) if found[1] else None


def _remember(ctx: Context, db: Connection, actor: Actor, wish: _Wish, deployment: Deployment) -> None:
    if wish.once:
        deployments.forget_remembered(db, clock.text(ctx.now() - REMEMBERED))
        deployments.remember(
            db, actor.id, wish.once.key, request=wish.text, deployment=deployment.id, at=deployment.created_at
        )


def _verb(source: str) -> str:
    return {"upload": "create", "rollback": "rollback", "promotion": "promote", "variables": "redeploy"}[source]


def _from(bundle: Bundle, source: str) -> str:
    if source == "upload":
        return f"Received {bundle.filename}" if bundle.filename else "Received a bundle"
    return {"rollback": "Rollback", "variables": "New variables"}.get(source, "Promotion")


def _in_one_line(filename: str) -> str:
    """It stands in logs and lists, whatever it was called elsewhere."""
    return UNSEEN.sub(" ", filename[:200]).strip()


def refuse_empty(received: Received) -> None:
    if received.size == 0:
        raise BadBundle(
            "empty", "Nothing arrived: the body is empty.", todo=("Send the zip as the body of the request.",)
        )
