"""Server-sent events, from the bus to a browser."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse

from appliance.context import Context
from appliance.events import Event, Stopping

QUIET = 15.0  # seconds after which a comment keeps the line open


class Ear:
    """Hears events in any thread and gives them out in this one."""

    def __init__(self, ctx: Context, wanted: Callable[[Event], bool]) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self._wanted = wanted
        self._ctx = ctx

    def __enter__(self) -> "Ear":
        self._forget = self._ctx.bus.listen(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()

    async def next(self, timeout: float) -> Event | None:
        """The next event, or None when it stays quiet for so long."""
        try:
            return await asyncio.wait_for(self._queue.get(), timeout)
        except TimeoutError:
            return None

    def drain(self) -> list[Event]:
        """Whatever else is there already: a burst is answered once."""
        found = []
        while not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    def _hear(self, event: Event) -> None:
        if isinstance(event, Stopping) or self._wanted(event):
            try:
                self._loop.call_soon_threadsafe(self._queue.put_nowait, event)
            except RuntimeError:  # the loop has ended
                self._forget()


def message(event: str, data: str, number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number is not None else ""
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"{head}event: {event}\n{lines}\n".encode("utf-8", "replace")


def stream(source: AsyncIterator[bytes]) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(source, media_type="text/event-stream", headers=headers)
