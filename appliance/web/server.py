"""The HTTP server: one process, asked to end by a signal, ending well."""

import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from appliance.context import Context
from appliance.events import Stopping

PATIENCE = 30  # seconds that open requests get when the process is asked to end


class Server(uvicorn.Server):
    """When the process is asked to end, work in hand is finished first: its probes need this server."""

    def __init__(self, app: ASGIApp, ctx: Context, finish: Callable[[], object]) -> None:
        self._ctx = ctx
        self._finish = finish
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                loop="asyncio",
                http="httptools",
                ws="none",
                timeout_graceful_shutdown=PATIENCE,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal doesn't wait."""
        if self._ctx.stopping.is_set():
            super().handle_exit(sig, frame)
            return
        self._ctx.stopping.set()
        threading.Thread(target=self._end_well, args=(sig, frame), daemon=True).start()

    def _end_well(self, sig: int, frame: FrameType | None) -> None:
        self._ctx.bus.publish(Stopping())
        self._finish()
        super().handle_exit(sig, frame)


def run(app: ASGIApp, ctx: Context, listener: socket.socket, finish: Callable[[], object]) -> None:
    """Serve until SIGTERM or SIGINT, then `finish` and end."""
    signal.signal(signal.SIGTERM, _already_heard)
    signal.signal(signal.SIGINT, _already_heard)
    Server(app, ctx, finish).run(sockets=[listener])


def _already_heard(sig: int, frame: FrameType | None) -> None:
    """The server sends itself the signal again after it has ended; that must not end the process with an error."""
