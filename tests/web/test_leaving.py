"""One server leaves its place to the next: whoever is connected notices nothing."""

import hashlib
import http.client
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from appliance.web.server import Server
from tests import inside

TURNS = 4
VISITORS = 12
ENOUGH = 25  # answers that each visitor gets before the next server comes


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Has something to do for every answer."""
    await run_in_threadpool(hashlib.pbkdf2_hmac, "sha256", b"", b"", 10_000)
    await PlainTextResponse("here")(scope, receive, send)


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are for a main thread, and these servers have threads of their own."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


class Visitor(threading.Thread):
    """Keeps one connection, and asks again as soon as it has its answer."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._enough = threading.Semaphore(0)
        self.over = threading.Event()
        self.amiss = ""

    def run(self) -> None:
        try:
            with closing(self._connection) as connection:
                while not self.over.is_set():
                    connection.request("GET", "/")
                    assert connection.getresponse().read() == b"here"
                    self._enough.release()
        except (OSError, http.client.HTTPException) as why:
            self.amiss = repr(why)
            for _ in range(TURNS * ENOUGH):
                self._enough.release()

    def get_some(self) -> None:
        for _ in range(ENOUGH):
            assert self._enough.acquire(timeout=60)


@pytest.mark.usefixtures("signals")
def test_connections_that_are_never_quiet_together_all_go_on(tmp_path: Path) -> None:
    with inside.context(tmp_path) as ctx, socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        visitors = [Visitor(listener.getsockname()[1]) for _ in range(VISITORS)]
        taken: list[socket.socket] = []

        def leave_after_some(server: Server, *, last: bool) -> None:
            for one in visitors:
                one.get_some()
                if last:
                    one.over.set()
                    one.join(60)
            server.leave()

        for one in visitors:
            one.start()
        for turn in range(TURNS):
            server = Server(app, ctx, lambda: None)
            leaving = threading.Thread(target=leave_after_some, args=(server,), kwargs={"last": turn == TURNS - 1})
            leaving.start()
            with ThreadPoolExecutor(1) as pool:  # a thread whose event loop is its own, whatever ran here before
                assert pool.submit(server.serve_on, listener, taken).result(180)
            leaving.join()
            taken = server.taken_along
            assert turn == TURNS - 1 or len(taken) == VISITORS
        for sock in taken:  # of those who had gone before anyone noticed
            sock.close()
        assert [one.amiss for one in visitors] == [""] * VISITORS
