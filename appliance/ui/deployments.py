"""Deployments: the list, and one with its steps and its log as they happen."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from appliance.context import Context
from appliance.deploy import approvals, log, permanent
from appliance.deploy.cancel import cancel as cancel_deployment
from appliance.deploy.queue import Ahead, ordinal, place_in_line
from appliance.deploy.submit import again as deploy_again
from appliance.deploy.submit import find_deployment
from appliance.model.deployments import Deployment, Failure, Step
from appliance.projects.find import find_environment
from appliance.store import bundles, deployments, xrays
from appliance.store.sight import sees
from appliance.ui.forms import do
from appliance.ui.lists import pages_of
from appliance.ui.places import Place, choices, of_project, one_of
from appliance.web import words
from appliance.web.page import go, render
from appliance.web.routes import actor_of, ctx_of, sight_of

MOST_LINES = 3000
PROGRESS = re.compile(r"([\d,]+) of ([\d,]+) ")
DOING = {
    "unpack": "Unpacking",
    "inspect": "Inspecting",
    "publish": "Publishing",
    "probe": "Looking as a visitor would",
    "mark live": "Marking it live",
    "tidy": "Tidying",
}


@dataclass(frozen=True)
class ShownStep:
    """A step, and how far it is."""

    name: str
    status: str
    started_at: str | None
    finished_at: str | None
    detail: str
    progress: tuple[int, int] | None
    place: int  # from 1

    @property
    def shown(self) -> bool:
        """Whether it took a time worth saying."""
        return self.started_at is not None and self.started_at != self.finished_at


@dataclass(frozen=True)
class ShownFailure:
    """Why it failed: a heading, and the rest of the sentence."""

    title: str
    rest: str


def index(request: Request) -> Response:
    ctx = ctx_of(request)
    found = choices(ctx, sight_of(request, "deployments.read"))
    shown = pages_of(request, ctx, choices=found, environments=found.kinds)
    return render(request, "deployments/list.html", **shown)


def show(request: Request) -> Response:
    ctx = ctx_of(request)
    deployment = find_deployment(ctx, request.path_params["deployment"])
    environment = find_environment(ctx, deployment.project, deployment.environment)
    places = of_project(ctx, environment.project_id, sight_of(request, "projects.read"))
    place = one_of(places, environment.name)
    bundle = bundles.find(ctx.db.read(), deployment.bundle)
    steps, lines = _steps(deployment), list(log.read(ctx, deployment.id))
    xray = xrays.find(ctx.db.read(), deployment.id)
    return render(
        request,
        "deployments/show.html",
        deployment=deployment,
        place=place,
        kept=bundle is not None,
        permanent=permanent.address(ctx, deployment),
        filename=bundle.filename if bundle else "",
        sentence=_sentence(ctx, deployment, place, steps),
        steps=steps,
        failed_step=next((step for step in steps if step.status == "failed"), None),
        failure=_failure(deployment.error) if deployment.error else None,
        lines=lines[-MOST_LINES:],
        skipped=max(len(lines) - MOST_LINES, 0),
        total=len(lines),
        first_error=next((line.number for line in lines if line.level == "error"), None),
        xray=xray,
        against=deployments.find(ctx.db.read(), xray.against) if xray and xray.against else None,
        own=deployment.approval is not None and deployment.approval.asked_by == actor_of(request).person_id,
        link=approvals.link(ctx, deployment),
        origin=_origin(request, ctx, deployment),
    )


def _origin(request: Request, ctx: Context, deployment: Deployment) -> Deployment | None:
    """Whose release it is, where that may be seen."""
    found = deployments.find(ctx.db.read(), deployment.origin) if deployment.origin else None
    return found if found and sees(sight_of(request, "deployments.read"), found.at) else None


async def cancel(request: Request) -> Response:
    ctx, actor, wanted = ctx_of(request), actor_of(request), request.path_params["deployment"]
    await do(partial(cancel_deployment, ctx, actor, wanted))
    return go(f"/deployments/{wanted}", done="cancel-asked")


async def again(request: Request) -> Response:
    """The same bundle to the same place: nothing to upload."""
    ctx, actor = ctx_of(request), actor_of(request)
    old = find_deployment(ctx, request.path_params["deployment"])
    environment = find_environment(ctx, old.project, old.environment)
    new = await do(partial(deploy_again, ctx, actor, environment, old.bundle))
    return go(f"/deployments/{new.id}")


def _steps(deployment: Deployment) -> list[ShownStep]:
    return [_shown(step, place) for place, step in enumerate(deployment.steps, 1)]


def _shown(step: Step, place: int) -> ShownStep:
    found = PROGRESS.match(step.detail) if step.status == "running" else None
    done, of = (int(part.replace(",", "")) for part in found.groups()) if found else (0, 0)
    progress = (done, of) if of else None
    return ShownStep(step.name, step.status, step.started_at, step.finished_at, step.detail, progress, place)


def _failure(error: Failure) -> ShownFailure:
    title, _, rest = error.detail.partition(". ")
    return ShownFailure(title.removesuffix("."), rest)


def _sentence(ctx: Context, deployment: Deployment, place: Place, steps: list[ShownStep]) -> Markup:
    """What is going on, and what visitors get meanwhile."""
    match deployment.status:
        case "queued":
            said = _queued(ctx, deployment, place)
        case "running":
            said = _running(ctx, deployment, place, steps)
        case "succeeded":
            said = _succeeded(deployment, place)
        case "failed":
            said = _failed(deployment, steps)
        case "skipped":
            said = _skipped(ctx, deployment)
        case _:
            said = _cancelled(deployment, place)
    return said


def _succeeded(deployment: Deployment, place: Place) -> Markup:
    if not deployment.live:
        return Markup("It took {}. {}").format(_took(deployment), _served(place))
    address = Markup('<a href="{}">{}</a>').format(place.address, words.bare(place.address))
    return Markup("It took {}. Visitors of {} get it now.").format(_took(deployment), address)


def _failed(deployment: Deployment, steps: list[ShownStep]) -> Markup:
    step = next((step for step in steps if step.status == "failed"), None)
    where = f" at {step.name}, step {step.place} of {len(steps)}" if step else ""
    return Markup("It stopped{} after {}.").format(where, _took(deployment))


def _skipped(ctx: Context, deployment: Deployment) -> Markup:
    by = deployments.find(ctx.db.read(), deployment.overtaken_by) if deployment.overtaken_by else None
    what = _link(by) if by else Markup("one that is gone")
    return Markup("A newer one overtook it in the queue: {}.").format(what)


def _cancelled(deployment: Deployment, place: Place) -> Markup:
    if deployment.approval is not None and deployment.approval.status in ("rejected", "expired"):
        return Markup("It was not approved. {}").format(_served(place))
    who = f" by {deployment.cancel_asked_by}" if deployment.cancel_asked_by else ""
    return Markup("It was stopped{}. {}").format(who, _served(place))


def _took(deployment: Deployment) -> str:
    began = deployment.started_at or deployment.created_at
    return words.duration(words.between(began, deployment.finished_at or began))


def _queued(ctx: Context, deployment: Deployment, place: Place) -> Markup:
    """Its place in line with what comes first, and how long that has been at it."""
    line = place_in_line(ctx, deployment)
    if place.environment.frozen is not None:
        return Markup("It waits until {} is thawed.").format(deployment.place)
    if deployment.approval is not None and deployment.approval.waits:
        return Markup("It waits until a second person approves it. {}").format(_served(place))
    if line is None or not line.after:
        return Markup("It is next in line, and begins as soon as a worker is free.")
    ahead = [_ahead(one, ctx.now()) for one in line.after]
    listed = Markup(" and ").join((Markup(", ").join(ahead[:-1]), ahead[-1])) if ahead[1:] else ahead[0]
    return Markup("It is {} in line in {}, after {}.").format(ordinal(line.position), deployment.place, listed)


def _ahead(one: Ahead, now: datetime) -> Markup:
    link = Markup('<a href="/deployments/{}">#{}</a>').format(one.id, one.number)
    if one.started_at is None:
        return link
    return Markup("{} (running, {})").format(link, words.duration(max(words.between(one.started_at, now), 0)))


def _running(ctx: Context, deployment: Deployment, place: Place, steps: list[ShownStep]) -> Markup:
    step = next((step for step in steps if step.status == "running"), None)
    doing = DOING.get(step.name, step.name.capitalize()) if step else "Between two steps"
    detail = f": {step.detail}" if step and step.detail else ""
    return Markup("{}{}. {} {}").format(doing, detail, _estimate(ctx, deployment), _until(place, deployment))


def _until(place: Place, deployment: Deployment) -> Markup:
    if deployment.live:
        return Markup("Visitors get it already.")
    if place.live:
        return Markup("Until this one is live, {} serves {}.").format(place.name, _link(place.live))
    return Markup("Nothing is live in {} yet.").format(place.name)


def _served(place: Place) -> Markup:
    if place.live is None:
        return Markup("Nothing is live in {} yet.").format(place.name)
    return Markup("{} serves {}.").format(place.name, _link(place.live))


def _estimate(ctx: Context, deployment: Deployment) -> str:
    """Said only where the last five uploads agree."""
    page = deployments.newest(
        ctx.db.read(), project=deployment.project, environment=deployment.environment, status="succeeded", limit=20
    )
    earlier = (one for one in page.items if one.source == deployment.source and one.started_at and one.finished_at)
    took = [words.between(one.started_at or "", one.finished_at or "") for one in islice(earlier, 5)]
    if len(took) < 5 or min(took) < 2 or max(took) > 1.5 * min(took) + 1:
        return ""
    return f"The last five took {min(took):.0f} to {words.duration(max(took))}."


def _link(deployment: Deployment) -> Markup:
    return Markup('<a href="/deployments/{}">#{}</a>').format(deployment.id, deployment.number)
