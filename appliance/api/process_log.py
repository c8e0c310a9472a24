"""The process log: a page of lines, all of it as text, or as it grows."""

from collections.abc import AsyncIterator, Callable, Iterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.access.actor import Actor
from appliance.access.standing import standing
from appliance.api.answers import number, number_cursor, page_asked, page_of, text_of
from appliance.context import Context
from appliance.events import ProcessLogGrew
from appliance.model.process_log import LogAsked, LogLine
from appliance.store import process_log
from appliance.store.paging import Page
from appliance.web import sse
from appliance.web.routes import actor_of, ctx_of, doc

WHICH = {
    "area": "Only of `homeport`, `nginx`, `dns`, `certificates`, `notifications`, `mail` or `backups`",
    "level": "`warn` for warnings and errors, `error` for errors alone",
    "q": "Only with this text",
    "project": "Only of this project",
    "since": "Only from this day or time on",
    "follow": "`1` streams text, the lines that are there first, until you leave",
    "download": "`1` sends all of it as a file of text, the oldest first",
}
AT_ONCE = 500


@doc("What Homeport did outside, newest first; as events with ids too", returns=LogLine, listing=True, query=WHICH)
async def listed(request: Request) -> Response:
    """JSON; text where it is followed or downloaded; events for whoever accepts those, taken up by `Last-Event-ID`."""
    ctx, asked = ctx_of(request), LogAsked.parse(request.query_params)
    if "text/event-stream" in request.headers.get("accept", ""):
        last = request.headers.get("last-event-id") or request.query_params.get("after", "")
        return sse.stream(_follow(ctx, actor_of(request), asked, number(last) or 0, _as_events))
    if request.query_params.get("follow") in ("1", "true"):
        lines = _follow(ctx, actor_of(request), asked, 0, _as_text)
        return StreamingResponse(lines, media_type="text/plain", headers={"X-Accel-Buffering": "no"})
    if request.query_params.get("download") in ("1", "true"):
        headers = {"Content-Disposition": 'attachment; filename="homeport.log"', "Cache-Control": "no-store"}
        return StreamingResponse(_whole(ctx, asked), media_type="text/plain", headers=headers)
    cursor, limit = page_asked(request)
    page = await run_in_threadpool(_page, ctx, asked, number_cursor(cursor), limit)
    return page_of(page.items, page.next)


def _page(ctx: Context, asked: LogAsked, cursor: int | None, limit: int) -> Page[LogLine]:
    return process_log.newest(ctx.db.read(), asked, cursor=cursor, limit=limit)


def _whole(ctx: Context, asked: LogAsked) -> Iterator[bytes]:
    """A piece at a time, however much there is; what comes meanwhile is not in it."""
    number, end = 0, process_log.last_number(ctx.db.read())
    while lines := process_log.after(ctx.db.read(), asked, number, AT_ONCE):
        number = lines[-1].id
        yield _as_text([line for line in lines if line.id <= end])
        if number >= end:
            return


async def _follow(
    ctx: Context, actor: Actor, asked: LogAsked, after: int, say: Callable[[list[LogLine]], bytes]
) -> AsyncIterator[bytes]:
    """What is there, then what comes, until the asker may do something else than before: then they ask again."""
    begun = standing(ctx, actor)
    with sse.Ear(ctx, lambda event: isinstance(event, ProcessLogGrew)) as ear:
        while standing(ctx, actor) == begun and not ctx.stopping.is_set():
            lines = await run_in_threadpool(_next, ctx, asked, after)
            if lines:
                after = lines[-1].id
                yield say(lines)
                continue
            if await ear.next(sse.QUIET) is None and say is _as_events:
                yield b": still here\n\n"
            ear.drain()


def _next(ctx: Context, asked: LogAsked, after: int) -> list[LogLine]:
    return list(process_log.after(ctx.db.read(), asked, after, AT_ONCE))


def _as_text(lines: list[LogLine]) -> bytes:
    return "".join(f"{line.plain}\n" for line in lines).encode("utf-8", "replace")


def _as_events(lines: list[LogLine]) -> bytes:
    return b"".join(sse.message("line", text_of(line), line.id) for line in lines)
