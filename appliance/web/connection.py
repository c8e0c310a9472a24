"""One visitor's connection, which can be handed on between two requests with nothing lost."""

import asyncio
import os
import socket
from contextlib import suppress
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

YOUNG = 1.0  # seconds
HEADS_WITHIN = 10.0  # seconds from the first byte of a request to the end of its headers
HEADS_MOST = 64 << 10  # bytes of all headers together
LINES_MOST = 128
TARGET_MOST = 16 << 10
PACE, SPELL = 250, 30.0  # bytes a second that a body comes at, at the least, over so many seconds
BESIDE_MOST = 1 << 20  # bytes between two pieces of a body that are no part of it
STUCK = 120.0  # seconds for which somebody takes none of what is sent to them
LINGER, SOON = 10.0, 2.0  # seconds for which what is sent after an answer is still taken in, so that it arrives
WORDS = {
    400: "This is not a well-formed HTTP request.",
    408: "The request did not come in time.",
    414: "The address is too long.",
    431: "The headers are too large, or too many.",
}


class State(ServerState):
    """Every connection, and when one of them has come further."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = asyncio.Event()


class Connection(HttpToolsProtocol):
    """Knows whether it is in the middle of something."""

    server_state: State

    _reading = False  # a request has begun to come in
    _since = 0.0
    _heads_since: float | None = None  # since when its headers are awaited
    _heads = 0  # bytes of them so far, where they came in pieces
    _wrong = 400  # what the request is answered with if it can't be read
    _refused: float | None = None  # when it was
    _paced = 0.0  # since when the bytes of a body are counted
    _came = 0
    _beside = 0
    _begun = False  # something of this connection has been answered, or is being
    _done = 0.0  # when the last answer was whole
    _held: tuple[int, float] | None = None  # how much somebody didn't take, and since when

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._heads_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refused is not None:
            return
        if not self._reading and self._heads_since is None:
            self._heads_since = self.loop.time()
        try:
            with suppress(httptools.HttpParserUpgrade):  # what can't be upgraded goes on as it is
                self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._wrong)
            return
        self._weigh(len(data))

    def on_message_begin(self) -> None:
        self._reading, self._since, self._wrong = True, self.loop.time(), 400
        self._heads_since = self._heads_since or self._since
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._heads_since is not None:  # not what comes after a body
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._heads_since, self._heads = None, 0
        self._paced, self._came, self._beside = self.loop.time(), 0, 0
        self._refuse_unfit()
        super().on_headers_complete()
        self._begun = True

    def on_body(self, body: bytes) -> None:
        self._came += len(body)
        self._beside = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._reading = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._done = self.loop.time()
        self.server_state.moved.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.server_state.moved.set()

    @property
    def is_idle(self) -> bool:
        """Every request that came in has its whole answer; what comes next is still in the hands of the system."""
        if self._reading or self.pipeline or self.transport.is_closing():
            return False
        answered = self._since == 0 or self.cycle.response_complete
        return answered and self.transport.get_write_buffer_size() == 0

    @property
    def is_young(self) -> bool:
        return self.is_idle or self.transport.is_closing() or self.loop.time() - self._since < YOUNG

    def rest(self) -> bool:
        """Once every request has its answer, the next one stays in the hands of the system, for whoever goes on."""
        if not self.is_idle:
            return False
        self.transport.pause_reading()
        self._heads_since = None
        self._unset_keepalive_if_required()  # who is not heard is not sent away for being silent
        return True

    def take_along(self) -> list[socket.socket]:
        """The connection itself, no longer ours; nothing where it is in the middle of something, and ends here."""
        taken: list[socket.socket] = []
        if self.rest():
            try:
                taken = [socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno()))]
            except OSError:  # as many files are open as may be
                taken = []
        self.transport.abort()  # the other end notices nothing for as long as someone has the connection open
        return taken

    def wait_a_while(self) -> None:
        """For the next request, as after any other."""
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def look_at(self, now: float) -> None:
        """Whoever sends too slowly, or takes nothing, does not keep their place."""
        if self._is_stuck(now):
            self.transport.abort()
        elif self.transport.is_closing():
            return
        elif self._refused is not None:
            if now - self._refused > SOON:
                self.transport.abort()
        elif self._is_slow(now):
            self.transport.abort()
        elif self._heads_since is not None and now - self._heads_since > HEADS_WITHIN and self._answered:
            if self._reading:
                self._refuse(408)
            else:  # nothing came at all
                self.transport.close()

    @property
    def _answered(self) -> bool:
        return not self.pipeline and (not self._begun or self.cycle.response_complete)

    def _is_stuck(self, now: float) -> bool:
        left = self.transport.get_write_buffer_size()
        if not left:
            self._held = None
        elif self._held is None or self._held[0] != left:
            self._held = left, now
        return self._held is not None and now - self._held[1] > STUCK

    def _is_slow(self, now: float) -> bool:
        """A body that nobody is reading here, or that was not asked for yet, is not slow."""
        if not self._reading or self._heads_since is not None:
            return False
        if self.cycle.response_complete:
            return now - self._done > LINGER
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._paced, self._came = now, 0
        if now - self._paced < SPELL:
            return False
        slow = self._came < PACE * SPELL
        self._paced, self._came = now, 0
        return slow

    def _weigh(self, size: int) -> None:
        """A parser keeps what it has not seen the end of."""
        if not self._reading:
            return
        if self._heads_since is not None:
            self._heads += size
            if self._heads > HEADS_MOST:
                self._refuse(431 if self.headers else 414)
        else:
            self._beside += size
            if self._beside > BESIDE_MOST:
                self.transport.abort()

    def _refuse_unfit(self) -> None:
        """Raising has the parser stop; what it stops with is `_wrong`."""
        names = [name for name, _ in self.headers]
        hosts = names.count(b"host")
        if len(self.url) > TARGET_MOST:
            self._wrong = 414
        elif len(names) > LINES_MOST or sum(len(name) + len(value) for name, value in self.headers) > HEADS_MOST:
            self._wrong = 431
        elif self.url.startswith(b"/") and (hosts == 1 or (hosts == 0 and self.parser.get_http_version() == "1.0")):
            return
        raise ValueError("unfit")

    def _refuse(self, status: int) -> None:
        """In the middle of another answer there is nothing to say."""
        self._refused = self.loop.time()
        if self.pipeline or (not self._answered and self.cycle.response_started):
            self.transport.abort()
            return
        text = f"{WORDS[status]}\n".encode()
        heads = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            "content-type: text/plain; charset=utf-8",
            f"content-length: {len(text)}",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "connection: close",
        )
        self.transport.write("\r\n".join(heads).encode() + b"\r\n\r\n" + text)
        self.transport.write_eof()
        if self._begun:  # whoever waits for the rest of the request need not
            self.cycle.disconnected = True
            self.cycle.message_event.set()
