"""A line between client and server that breaks when the test wants it to."""

import socket
import threading
from contextlib import suppress


class Relay:
    """Passes bytes on and counts what the client sends and gets. Breaks once, or holds, after so many were sent."""

    def __init__(self, port: int, breaks_after: int = 0, holds_after: int = 0) -> None:
        self._to, self._left, self._holds_after = port, breaks_after, holds_after
        self.held, self.let_go = threading.Event(), threading.Event()
        self.broken = self.sent = self.got = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.let_go.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, up: bool) -> None:
        with suppress(OSError):
            while data := source.recv(16_384):
                if up and self._breaks(len(data)):
                    break
                self.sent, self.got = self.sent + len(data) * up, self.got + len(data) * (not up)
                sink.sendall(data)
                if up and self._holds_after and self.sent >= self._holds_after:
                    self.held.set()
                    self.let_go.wait()
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _breaks(self, size: int) -> bool:
        if not self._left:
            return False
        self._left = max(0, self._left - size)
        self.broken += not self._left
        return not self._left
