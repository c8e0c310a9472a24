"""The HTTP server: one process, asked to end by a signal, ending well."""

import signal
import socket
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from appliance.context import Context
from appliance.events import Stopping

PATIENCE = 30  # seconds that open requests get when the process is asked to end


class Server(uvicorn.Server):
    """Tells streams and waiting requests to end when the process is asked to."""

    def __init__(self, app: ASGIApp, ctx: Context) -> None:
        self._ctx = ctx
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
        self._ctx.stopping.set()
        self._ctx.bus.publish(Stopping())
        super().handle_exit(sig, frame)


def run(app: ASGIApp, ctx: Context, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; a second SIGINT doesn't wait."""
    signal.signal(signal.SIGTERM, _already_heard)
    signal.signal(signal.SIGINT, _already_heard)
    Server(app, ctx).run(sockets=[listener])


def _already_heard(sig: int, frame: FrameType | None) -> None:
    """The server sends itself the signal again after it has ended; that must not end the process with an error."""
