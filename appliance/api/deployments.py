"""Deployments: starting one, watching it, stopping it."""

from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from appliance.access.actor import Actor
from appliance.access.standing import standing
from appliance.api.answers import answer, body, number, one_of, page_asked, page_of, seconds_asked, text_of
from appliance.api.shapes import DeploymentShape, of_deployment, of_deployments, plain
from appliance.api.starting import start, told
from appliance.api.waiting import deployment_over
from appliance.context import Context
from appliance.deploy import log, submit
from appliance.deploy.cancel import cancel
from appliance.deploy.frozen import refuse_frozen
from appliance.errors import HomeportError, Invalid, WrongKind
from appliance.events import DeploymentChanged, LogGrew
from appliance.model.deployments import STATUSES, Deployment, Promotion, Rollback
from appliance.model.trees import Start
from appliance.projects.find import find_environment
from appliance.store import deployments
from appliance.web import sse
from appliance.web.errors import problem_response
from appliance.web.remembered import remembered
from appliance.web.routes import actor_of, ctx_of, doc, sight_of
from appliance.web.upload import receive

WAIT = {"wait": "Seconds to wait for the end; then 201, or 422 with the problem and the `deployment`"}
STATUS = {"status": "Only those with this status"}
WHERE = {"project": "Only of this project", "environment": "Only of environments with this name", **STATUS}
FOLLOW = {"follow": "`1` streams until the end", "download": "`1` sends it as a file"}
ZIP = "A zip as `application/zip`, a form with the file in `bundle`, or JSON: a bundle's hash, an upload's id, or files"
ZIP_TYPES = ("application/zip", "application/octet-stream", "application/x-zip-compressed", "")


@doc("Deploy", body=Start, returns=DeploymentShape, status=202, query=WAIT, other=ZIP, kinds=("application/zip",))
async def started(request: Request) -> Response:
    """A zip as the body, a form with the file in `bundle`, or JSON that says what is here already."""
    ctx, actor, place = ctx_of(request), actor_of(request), request.path_params
    seconds, once = seconds_asked(request), _once(request)
    environment = find_environment(ctx, place["project"], place["environment"])
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        wanted = await told(request, ctx)
        return await _answer_when(request, seconds, lambda: start(ctx, actor, environment, wanted, once))
    if kind not in (*ZIP_TYPES, "multipart/form-data"):
        raise WrongKind(
            f"A body of type {kind} can't be deployed.",
            todo=("Send a zip as application/zip, a form with the file in `bundle`, or JSON with a bundle's hash.",),
        )
    if once is None:
        refuse_frozen(environment)  # before anything is sent in vain
    async with receive(request, ctx) as upload:
        _refuse_fields(upload.fields)
        return await _answer_when(
            request,
            seconds,
            lambda: submit.upload(ctx, actor, environment, upload.received, filename=upload.filename, once=once),
        )


@doc("Roll back", body=Rollback, returns=DeploymentShape, status=202, query=WAIT)
async def rolled_back(request: Request) -> Response:
    ctx, actor, place = ctx_of(request), actor_of(request), request.path_params
    seconds, once, wish = seconds_asked(request), _once(request), Rollback.parse(await body(request))
    environment = find_environment(ctx, place["project"], place["environment"])
    return await _answer_when(request, seconds, lambda: submit.rollback(ctx, actor, environment, wish.to, once))


@doc("Deploy what is live once more, with the variables of now", returns=DeploymentShape, status=202, query=WAIT)
async def renewed(request: Request) -> Response:
    ctx, actor, place = ctx_of(request), actor_of(request), request.path_params
    seconds, once = seconds_asked(request), _once(request)
    _refuse_fields(await body(request))
    environment = find_environment(ctx, place["project"], place["environment"])
    return await _answer_when(request, seconds, lambda: submit.with_variables(ctx, actor, environment, once))


@doc("Promote from another environment", body=Promotion, returns=DeploymentShape, status=202, query=WAIT)
async def promoted(request: Request) -> Response:
    ctx, actor, place = ctx_of(request), actor_of(request), request.path_params
    seconds, once, wish = seconds_asked(request), _once(request), Promotion.parse(await body(request))
    environment = find_environment(ctx, place["project"], place["environment"])
    source = find_environment(ctx, place["project"], wish.from_)
    return await _answer_when(request, seconds, lambda: submit.promote(ctx, actor, environment, source, once))


@doc("List deployments, newest first", returns=DeploymentShape, listing=True, query=WHERE)
@remembered
async def listed(request: Request) -> Response:
    ctx, (cursor, limit), asked = ctx_of(request), page_asked(request), request.query_params
    page = deployments.newest(
        ctx.db.read(),
        project=asked.get("project") or None,
        environment=asked.get("environment") or None,
        status=one_of(request, "status", STATUSES),
        cursor=cursor,
        limit=limit,
        sight=sight_of(request, "deployments.read"),
    )
    return page_of(of_deployments(ctx, page.items), page.next)


@doc("List an environment's deployments", returns=DeploymentShape, listing=True, query=STATUS)
async def of_environment(request: Request) -> Response:
    ctx, (cursor, limit), place = ctx_of(request), page_asked(request), request.path_params
    environment = find_environment(ctx, place["project"], place["environment"])
    page = deployments.newest(
        ctx.db.read(),
        project=environment.project,
        environment=environment.name,
        status=one_of(request, "status", STATUSES),
        cursor=cursor,
        limit=limit,
    )
    return page_of(of_deployments(ctx, page.items), page.next)


@doc("Show a deployment", returns=DeploymentShape)
async def shown(request: Request) -> Response:
    ctx = ctx_of(request)
    return answer(of_deployment(ctx, submit.find_deployment(ctx, request.path_params["deployment"])))


@doc("Cancel a deployment", returns=DeploymentShape, status=202)
def cancelled(request: Request) -> Response:
    ctx = ctx_of(request)
    return answer(of_deployment(ctx, cancel(ctx, actor_of(request), request.path_params["deployment"])), 202)


@doc("Read a deployment's log, as text or as events", query=FOLLOW, binary="text/plain")
async def logged(request: Request) -> Response:
    """The log as text, followed to the end, or as events that can be resumed."""
    ctx = ctx_of(request)
    deployment = submit.find_deployment(ctx, request.path_params["deployment"])
    if "text/event-stream" in request.headers.get("accept", ""):
        return sse.stream(_events(ctx, actor_of(request), deployment, _last_seen(request)))
    if request.query_params.get("follow") in ("1", "true"):
        return StreamingResponse(
            _text(ctx, actor_of(request), deployment), media_type="text/plain", headers={"X-Accel-Buffering": "no"}
        )
    headers = {}
    if request.query_params.get("download") in ("1", "true"):
        name = f"{deployment.project}-{deployment.number}.log"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    lines = "".join(f"{line.plain}\n" for line in log.read(ctx, deployment.id))
    return PlainTextResponse(lines, headers=headers)


async def _answer_when(request: Request, seconds: float, start: Callable[[], Deployment]) -> Response:
    """202 at once, or what came of it when the caller waits."""
    ctx = ctx_of(request)
    deployment = await run_in_threadpool(start)
    if seconds:
        deployment = await deployment_over(ctx, deployment, seconds)
    where = {"Location": f"/api/v1/deployments/{deployment.id}"}
    if not seconds or not deployment.over:
        return answer(of_deployment(ctx, deployment), 202, where)
    if deployment.status == "succeeded":
        return answer(of_deployment(ctx, deployment), 201, where)
    request_id = request.scope["state"]["request_id"]
    return problem_response(_Ended(deployment), request_id, deployment=plain(of_deployment(ctx, deployment)))


class _Ended(HomeportError):
    """A deployment that the caller waited for did not go live."""

    status = 422
    title = "The deployment did not go live"

    def __init__(self, deployment: Deployment) -> None:
        error = deployment.error
        detail = error.detail if error else f"#{deployment.number} was {deployment.status}."
        super().__init__(
            detail,
            code=error.code if error else deployment.status,
            todo=error.todo if error else (),
            said=error.said if error else "",
        )


def _once(request: Request) -> submit.Once | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= 255:
        raise Invalid({"Idempotency-Key": "Use 1 to 255 characters"})
    return submit.Once(key) if key else None


def _refuse_fields(fields: dict[str, str]) -> None:
    unknown = dict.fromkeys(fields, "There is no such field")
    if unknown:
        raise Invalid(unknown)


def _last_seen(request: Request) -> int:
    text = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    return number(text) or 0


async def _events(ctx: Context, actor: Actor, deployment: Deployment, after: int) -> AsyncIterator[bytes]:
    async def say(lines: list[log.Line]) -> bytes:
        return b"".join(sse.message("line", text_of(line), line.number) for line in lines)

    async for part in _follow(ctx, actor, deployment, after, say):
        yield part or b": still here\n\n"
    now = submit.find_deployment(ctx, deployment.id)
    if now.over and standing(ctx, actor):
        yield sse.message("end", text_of(of_deployment(ctx, now)))


async def _text(ctx: Context, actor: Actor, deployment: Deployment) -> AsyncIterator[bytes]:
    async def say(lines: list[log.Line]) -> bytes:
        return "".join(f"{line.plain}\n" for line in lines).encode("utf-8", "replace")

    async for part in _follow(ctx, actor, deployment, 0, say):
        if part:
            yield part


async def _follow(
    ctx: Context, actor: Actor, deployment: Deployment, after: int, say: Callable[[list[log.Line]], Awaitable[bytes]]
) -> AsyncIterator[bytes]:
    """What is there, then what comes, until the deployment has ended; b"" when it stays quiet.

    It ends as well when what the asker may do has changed: whoever still may read it asks again.
    """
    begun = standing(ctx, actor)

    def wanted(event: object) -> bool:
        return isinstance(event, (LogGrew, DeploymentChanged)) and event.deployment == deployment.id

    with sse.Ear(ctx, wanted) as ear:
        while standing(ctx, actor) == begun:
            over = submit.find_deployment(ctx, deployment.id).over
            lines = await run_in_threadpool(log.read_all, ctx, deployment.id, after)
            if lines:
                after = lines[-1].number
                yield await say(lines)
            if over or ctx.stopping.is_set():
                return
            if await ear.next(sse.QUIET) is None:
                yield b""
            ear.drain()
