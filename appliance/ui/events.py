"""What has changed, told to open pages as it happens; they ask for the rest themselves."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from appliance.context import Context
from appliance.events import Event, Stopping
from appliance.web import sse
from appliance.web.changes import TOLD, Changes, changes
from appliance.web.routes import ctx_of


async def index(request: Request) -> Response:
    return sse.stream(_changes(ctx_of(request), changes(request)))


async def _changes(ctx: Context, counted: Changes) -> AsyncIterator[bytes]:
    with sse.Ear(ctx, lambda event: isinstance(event, TOLD)) as ear:
        yield sse.message("seen", str(counted.count))
        while not ctx.stopping.is_set():
            event = await ear.next(sse.QUIET)
            if event is None:
                yield b": still here\n\n"
                continue
            burst = dict.fromkeys((event, *ear.drain()))
            if any(isinstance(one, Stopping) for one in burst):
                return
            yield b"".join(_message(one) for one in burst)


def _message(event: Event) -> bytes:
    return sse.message("changed", json.dumps(asdict(event)))
