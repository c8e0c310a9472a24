"""One stream a page: what has changed, and the log that it follows. Pages ask for the rest themselves."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.actor import Actor
from appliance.access.missing import no_deployment
from appliance.access.permissions import may, need, sight
from appliance.access.standing import standing
from appliance.context import Context
from appliance.deploy import log
from appliance.deploy.submit import find_deployment
from appliance.events import DeploymentChanged, Event, LogGrew, ProcessLogGrew, ProjectChanged, Stopping, UrlChanged
from appliance.model.environments import Environment
from appliance.model.places import Place
from appliance.model.process_log import LogAsked
from appliance.model.urls import Url
from appliance.store import deployments, environments, process_log, projects, urls
from appliance.store.db import Connection
from appliance.store.sight import Sight, sees, sees_some
from appliance.ui.process_log import shown
from appliance.web import sse
from appliance.web.changes import TOLD, Changes, changes
from appliance.web.routes import actor_of, ctx_of

OF_PROCESS = "process"
AT_ONCE = 500


@dataclass
class Following:
    """The log that a page follows, and how far it has come."""

    deployment: str
    after: int
    over: bool = False
    asked: LogAsked | None = None  # which lines, where it is the log of the process


async def index(request: Request) -> Response:
    following = _following(request)
    return sse.stream(_stream(ctx_of(request), actor_of(request), changes(request), following))


def _following(request: Request) -> Following | None:
    wanted = request.query_params.get("log")
    if not wanted:
        return None
    after = request.headers.get("last-event-id") or request.query_params.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() else 0
    if wanted == OF_PROCESS:
        need(actor_of(request), "settings.read")
        return Following("", number, asked=LogAsked.parse(request.query_params))
    deployment = find_deployment(ctx_of(request), wanted)
    if not may(actor_of(request), "deployments.read", deployment.at):
        raise no_deployment()
    return Following(deployment.id, number)


async def _stream(ctx: Context, actor: Actor, counted: Changes, following: Following | None) -> AsyncIterator[bytes]:
    """It ends when what the asker may see has changed, or when they may not come in any more: the page asks again."""
    begun = standing(ctx, actor)
    with sse.Ear(ctx, lambda event: _wanted(event, following)) as ear:
        yield sse.message("seen", str(counted.count)) + _lines(ctx, following)
        while not ctx.stopping.is_set():
            event = await ear.next(sse.QUIET)
            if standing(ctx, actor) != begun:
                return
            if event is None:
                yield b": still here\n\n"
                continue
            burst = dict.fromkeys((event, *ear.drain()))
            if any(isinstance(one, Stopping) for one in burst):
                return
            told = (_seen(ctx, sight(actor, "projects.read"), one) for one in burst if isinstance(one, TOLD))
            yield _lines(ctx, following) + b"".join(_told(one) for one in dict.fromkeys(told) if one)


def _wanted(event: Event, following: Following | None) -> bool:
    if isinstance(event, ProcessLogGrew):
        return following is not None and following.asked is not None
    if isinstance(event, LogGrew):
        return following is not None and event.deployment == following.deployment
    return isinstance(event, TOLD)


def _seen(ctx: Context, seen: Sight | None, event: Event) -> Event | None:
    """As much of it as may be told: of what is gone or hidden, at most that the project has changed."""
    if seen is None or not isinstance(event, TOLD):
        return event
    db = ctx.db.read()
    project = projects.find(db, event.project)
    if project is None or not sees_some(seen, project.id):
        return None
    place = _place(db, event)
    return event if sees(seen, place or project.at) else ProjectChanged(event.project)


def _place(db: Connection, event: Event) -> Place | None:
    found: Environment | Url | None = None
    if isinstance(event, DeploymentChanged):
        found = environments.find(db, event.project, event.environment)
    if isinstance(event, UrlChanged):
        found = urls.find(db, event.host)
    return found.at if found else None


def _told(event: Event) -> bytes:
    return sse.message("changed", json.dumps(asdict(event)))


def _lines(ctx: Context, following: Following | None) -> bytes:
    """What the log has grown by, and its end once there is one."""
    if following is None or following.over:
        return b""
    if following.asked is not None:
        return _process_lines(ctx, following, following.asked)
    deployment = deployments.find(ctx.db.read(), following.deployment)
    said = b""
    for line in log.read(ctx, following.deployment, following.after):
        following.after = line.number
        said += sse.message("line", json.dumps(asdict(line)), line.number)
    if deployment is None or deployment.over:
        following.over = True
        said += sse.message("end", "")
    return said


def _process_lines(ctx: Context, following: Following, asked: LogAsked) -> bytes:
    said = b""
    while lines := process_log.after(ctx.db.read(), asked, following.after, AT_ONCE):
        following.after = lines[-1].id
        said += b"".join(sse.message("line", json.dumps(asdict(shown(line))), line.id) for line in lines)
    return said
