"""Activity: listed, exported, verified."""

import json
from collections.abc import Iterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from appliance.access import chain
from appliance.api.answers import answer, number_cursor, page_asked, page_of
from appliance.api.shapes import plain
from appliance.context import Context
from appliance.model.activity import Activity, Verified, Wanted
from appliance.store import activity
from appliance.store.sight import Sight
from appliance.web.routes import ctx_of, doc, sight_of

WHICH = {
    "q": "Only with this text",
    "actor": "Only by this person or key, by name",
    "person": "Only by the person with this address, also with a key",
    "key": "Only with this key, by its id or name",
    "verb": "Only this verb, or those with this first word",
    "project": "Only in this project",
    "environment": "Only in environments of this name",
    "since": "Only from this day or time on",
    "until": "Only before this time, or up to the end of this day",
}
LINES = "application/x-ndjson"


@doc("What anyone did, newest first", returns=Activity, listing=True, query=WHICH)
def listed(request: Request) -> Response:
    cursor, limit = page_asked(request)
    page = activity.newest(
        ctx_of(request).db.read(),
        Wanted.parse(request.query_params),
        cursor=number_cursor(cursor),
        limit=limit,
        sight=sight_of(request, "activity.read"),
    )
    return page_of(page.items, page.next)


@doc("What anyone did, each as a line of JSON, oldest first", binary=LINES, query=WHICH)
def exported(request: Request) -> Response:
    """All of it, however much there is; what happens meanwhile is not in it."""
    wanted = Wanted.parse(request.query_params)
    lines = _lines(ctx_of(request), wanted, sight_of(request, "activity.read"))
    headers = {"Content-Disposition": 'attachment; filename="activity.ndjson"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type=LINES, headers=headers)


@doc("Whether the record is as it was written", returns=Verified)
async def verified(request: Request) -> Response:
    """Reads all of it; with many entries that takes a moment."""
    return answer(await run_in_threadpool(chain.verify, ctx_of(request)))


def _lines(ctx: Context, wanted: Wanted, sight: Sight | None) -> Iterator[bytes]:
    """Some at a time: neither memory nor a reader of the database is held for long."""
    last, _ = activity.head(ctx.db.read())
    after = 0
    while some := activity.following(ctx.db.read(), after, wanted, until=last, sight=sight):
        after = some[-1].id
        yield b"".join(json.dumps(plain(one), separators=(",", ":")).encode() + b"\n" for one in some)
