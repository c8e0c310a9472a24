"""The appliance with nobody looking who asks, nor whether they may: for what both cost, and for nothing else."""

import os
import socket
from pathlib import Path
from typing import Any

from appliance.access.actor import Actor
from appliance.app import build, open_context
from appliance.settings import Settings
from appliance.web import routes
from appliance.web.middleware import Edge
from appliance.web.server import Server

EVERYBODY = Actor("person", "everybody", "owner", "everybody")


def main() -> None:
    setattr(routes, "admit", _nothing)  # noqa: B010 - for a measurement alone
    setattr(Edge, "_who", _everybody)  # noqa: B010
    settings = Settings.load({"data": Path(os.environ["DATA"]), "port": int(os.environ["PORT"])}, os.environ)
    ctx = open_context(settings)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named as the real one is
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", settings.port))
    listener.listen(2048)
    Server(build(ctx), ctx, lambda: None).serve_on(listener)


def _nothing(*_: Any) -> None:
    """Lets everything pass."""


def _everybody(*_: Any) -> Actor:
    return EVERYBODY


if __name__ == "__main__":
    main()
