"""The HTTP server: one process, asked to end by a signal, ending well, or leaving its place to another."""

import asyncio
import resource
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from appliance.context import Context
from appliance.errors import HomeportError, StartFailed
from appliance.events import Stopping
from appliance.machine.http import look
from appliance.web.connection import Connection, State

PATIENCE = 30  # seconds that open requests get when the process is asked to end
LONG = 60.0  # seconds that a long upload gets to end, while others are still answered, before this leaves
SHORT = 30.0  # seconds that requests get once nobody else is let in
MOMENT = 0.05
TICKS = 10  # of the server's ten a second, between two looks at who is slow
OPEN_FILES = 65_536
BATCH = 64  # connections taken along before those that they were are really closed
PAGES = ("/healthz", "/", "/api/v1/me")  # what shows that the whole of it answers


class Server(uvicorn.Server):
    """When the process is asked to end, work in hand is finished first: its probes need this server."""

    def __init__(self, app: ASGIApp, ctx: Context, finish: Callable[[], object]) -> None:
        self._ctx = ctx
        self._finish = finish
        self._leaving = False
        self._listener: socket.socket | None = None
        self._inherited: Sequence[socket.socket] = ()
        self.taken_along: list[socket.socket] = []
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                log_config=None,  # as everything else that is logged
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                loop="asyncio",
                http=Connection,
                ws="none",
                timeout_graceful_shutdown=PATIENCE,
            )
        )
        self._state = self.server_state = State()

    def serve_on(self, listener: socket.socket, inherited: Sequence[socket.socket] = ()) -> bool:
        """Until SIGTERM or SIGINT, or until `leave`; says whether it has left the listener and all to someone else."""
        signal.signal(signal.SIGTERM, _already_heard)
        signal.signal(signal.SIGINT, _already_heard)
        self._listener, self._inherited = listener, inherited
        _open_as_many_as_may_be()
        self.run(sockets=[listener.dup()])  # it closes its own
        return self._leaving

    def leave(self) -> None:
        """Called in another thread. New visitors wait at the listener, and nobody is cut off."""
        self._leaving = True
        self._ctx.stopping.set()
        self._ctx.bus.publish(Stopping())
        self._finish()
        self._wait_for_long_requests()
        self._ctx.bus.publish(Stopping())  # streams that came back in the meantime
        self.should_exit = True

    def leave_soon(self) -> None:
        """The same, for a caller who can't wait for it."""
        threading.Thread(target=self.leave, daemon=True).start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal doesn't wait."""
        if self._leaving:  # what is in hand is being finished already
            self._leaving = False
            return
        if self._ctx.stopping.is_set():
            super().handle_exit(sig, frame)
            return
        self._ctx.stopping.set()
        threading.Thread(target=self._end_well, args=(sig, frame), daemon=True).start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in self._inherited:
            await self._take_up(one)

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            now = asyncio.get_running_loop().time()
            for one in self._connections:
                one.look_at(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self._leaving:
            if self._listener:
                self._listener.close()
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        await self._until(self._all_rest, SHORT)
        for number, one in enumerate(self._connections):
            self.taken_along += one.take_along()
            if number % BATCH == 0:
                await self._a_moment()

    @property
    def _connections(self) -> list[Connection]:
        return [one for one in self.server_state.connections if isinstance(one, Connection)]

    def _all_rest(self) -> bool:
        """Each lies down as soon as it can: those that never stop asking are never quiet at the same time."""
        resting = [one.rest() for one in self._connections]
        return all(resting)

    def _end_well(self, sig: int, frame: FrameType | None) -> None:
        self._ctx.bus.publish(Stopping())
        self._finish()
        super().handle_exit(sig, frame)

    async def _take_up(self, inherited: socket.socket) -> None:
        """A connection that someone else let in, and that is between two requests."""
        loop = asyncio.get_running_loop()

        def connection() -> Connection:
            return Connection(self.config, self.server_state, self.lifespan.state, loop)

        try:
            _, taken = await loop.connect_accepted_socket(connection, inherited)
        except OSError:  # its other end has gone
            inherited.close()
            return
        taken.wait_a_while()

    def _wait_for_long_requests(self) -> None:
        """Until what is being answered has only just begun; more of that never ends."""
        over = threading.Event()

        async def watch() -> None:
            await self._until(lambda: all(one.is_young for one in self._connections), LONG)
            over.set()

        if self._connections:
            asyncio.run_coroutine_threadsafe(watch(), self._connections[0].loop)
            over.wait(LONG + 1)

    async def _until(self, done: Callable[[], bool], patience: float) -> None:
        deadline = asyncio.get_running_loop().time() + patience
        await self._a_moment()  # who was let in just now is among the connections then
        while not (done() or self.force_exit) and asyncio.get_running_loop().time() < deadline:
            await self._a_moment()

    async def _a_moment(self) -> None:
        """Until a connection has come further, or some time has passed."""
        self._state.moved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(MOMENT):
                await self._state.moved.wait()


def _open_as_many_as_may_be() -> None:
    """Each visitor is an open file; the number that a shell begins with is soon used up."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(most, OPEN_FILES)
    if now < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def try_out(app: ASGIApp, ctx: Context) -> None:
    """Serve where nobody knows of it, and see that every part of it answers; StartFailed says what didn't."""
    failed: list[str] = []
    server = Server(app, ctx, lambda: None)
    listener = socket.create_server(("127.0.0.1", 0))

    def ask() -> None:
        try:
            failed.extend(filter(None, (_amiss(listener, path) for path in PAGES)))
        except HomeportError as why:
            failed.append(why.detail)
        finally:
            server.should_exit = True

    asking = threading.Thread(target=ask)
    asking.start()
    server.run(sockets=[listener.dup()])
    asking.join()
    listener.close()
    if failed:
        raise StartFailed(failed[0], code="no_answer")


def _amiss(listener: socket.socket, path: str) -> str | None:
    address = listener.getsockname()
    answer = look(address, f"localhost:{address[1]}", path)
    if answer.status >= 500 or (path == "/healthz" and answer.status != 200):
        return f"{path} answers {answer.status}."
    return None


def _already_heard(sig: int, frame: FrameType | None) -> None:
    """The server sends itself the signal again after it has ended; that must not end the process with an error."""
