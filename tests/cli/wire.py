"""A raw socket server that does exactly as a test says, well or badly."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Call:
    """One request, as far as it was read."""

    connection: socket.socket
    head: str
    rest: bytes  # what came along with the head

    @property
    def line(self) -> str:
        return self.head.partition("\r\n")[0]

    @property
    def path(self) -> str:
        return self.line.split()[1]

    def header(self, name: str) -> str:
        for line in self.head.split("\r\n")[1:]:
            found, _, value = line.partition(": ")
            if found.lower() == name.lower():
                return value
        return ""

    def body(self) -> bytes:
        """The whole body, of a length that was said or in chunks."""
        data = self.rest
        if self.header("Transfer-Encoding") == "chunked":
            while not data.endswith(b"0\r\n\r\n"):
                data += self.connection.recv(1 << 20)
            return _unchunked(data)
        while len(data) < int(self.header("Content-Length") or 0):
            data += self.connection.recv(1 << 20)
        return data

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, status: int, body: bytes = b"", kind: str = "application/json", more: str = "") -> None:
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
        self.send(f"{head}Connection: close\r\n\r\n".encode() + body)


Script = Callable[[Call], None]


@dataclass
class Wire:
    """Where it listens, and what it was asked so far."""

    url: str
    calls: list[Call] = field(default_factory=list)


@contextmanager
def wire(script: Script) -> Iterator[Wire]:
    """Answer each connection with the script, one request each."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_converse, args=(connection, script, found), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _converse(connection: socket.socket, script: Script, found: Wire) -> None:
    with connection:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(1 << 16)
            if not more:
                return
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        call = Call(connection, head.decode(), rest)
        found.calls.append(call)
        try:
            script(call)
        except OSError:
            return  # the other side hung up: for the test to judge


def _unchunked(data: bytes) -> bytes:
    whole = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        whole, data = whole + data[:length], data[length + 2 :]
    return whole
