"""One visitor's connection, which can be handed on between two requests with nothing lost."""

import asyncio
import os
import socket

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

YOUNG = 1.0  # seconds


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

    def on_message_begin(self) -> None:
        self._reading, self._since = True, self.loop.time()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._reading = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
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
