"""What comes over the line before it is a request: nonsense, too much, too slowly."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance import Appliance

HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("line") / "data") as running:
        yield running


def say(server: Appliance, *pieces: bytes, patience: float = 15) -> bytes:
    """Everything that comes back until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience) as line:
        with contextlib.suppress(ConnectionError):  # it may hang up in the middle of it
            for piece in pieces:
                line.sendall(piece)
        return heard(line)


def heard(line: socket.socket) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionError):
        while data := line.recv(65536):
            answer += data
    return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


LOGIN = b"POST /api/v1/login HTTP/1.1\r\n" + HOST
NONSENSE = {
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET / HTTP/1.9\r\n" + HOST + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + b"Host: evil.example.com\r\n\r\n",
    "absolute form": b"GET http://evil.example.com/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "authority form": b"CONNECT evil.example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "no target": b"GET  HTTP/1.1\r\n" + HOST + b"\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes in the target": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "space before a colon": b"GET / HTTP/1.1\r\n" + HOST + b"X : 1\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n 2\r\n\r\n",
    "both lengths": LOGIN + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both lengths, the other way": LOGIN + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "two lengths": LOGIN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length twice": LOGIN + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "negative length": LOGIN + b"Content-Length: -1\r\n\r\n",
    "length with a sign": LOGIN + b"Content-Length: +2\r\n\r\n{}",
    "length beyond numbers": LOGIN + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "chunked not last": LOGIN + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "unknown coding": LOGIN + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunk of no size": LOGIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "chunk longer than it says": LOGIN + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}}}}}\r\n0\r\n\r\n",
    "chunk beyond numbers": LOGIN + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
}


@pytest.mark.parametrize("said", NONSENSE)
def test_nonsense_is_answered_with_400_and_without_a_trace(alone: Appliance, said: str) -> None:
    before = len(alone.output)
    answer = say(alone, NONSENSE[said])
    assert status(answer) == 400, answer
    assert b"Traceback" not in answer and b"evil" not in answer
    assert alone.output[before:] == [], "a log can't be filled by it"


def test_nothing_of_a_refused_request_is_taken_for_another(alone: Appliance) -> None:
    """A request within the body of one that two servers would read differently."""
    inner = b"GET /api/v1/openapi.json HTTP/1.1\r\n" + HOST + b"\r\n"
    for heads in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    ):
        answer = say(alone, LOGIN + heads + inner)
        assert answer.count(b"HTTP/1.1 ") == 1 and b"openapi" not in answer


def test_what_comes_after_a_body_is_no_header(alone: Appliance) -> None:
    body = (
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer " + alone.key.encode() + b"\r\n\r\n"
    )
    asked = b"POST /api/v1/keys HTTP/1.1\r\nConnection: close\r\n" + HOST + body
    assert status(say(alone, asked)) == 401


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /?" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /" + b"a" * 300_000, 414),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 300_000, 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X" * 300_000, 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n", 431),
    ],
    ids=["path", "query", "endless path", "header", "endless header", "endless name", "many headers"],
)
def test_too_much_before_the_body(alone: Appliance, asked: bytes, wanted: int) -> None:
    assert status(say(alone, asked)) == wanted


def test_a_head_that_never_ends_takes_no_memory(alone: Appliance) -> None:
    before = alone.memory
    for start in (b"GET / HTTP/1.1\r\n" + HOST + b"X: ", LOGIN + b"Transfer-Encoding: chunked\r\n\r\n1;"):
        say(alone, start, *[b"a" * (1 << 20)] * 64)
    assert alone.memory - before < 32 << 20


@pytest.mark.parametrize("path", ["/login", "/api/v1/login", "/setup", "/api/v1/setup", "/api/v1/projects", "/new"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_no_upload_is_small(alone: Appliance, path: str, chunked: bool) -> None:
    head = f"POST {path} HTTP/1.1\r\nAuthorization: Bearer {alone.key}\r\nConnection: close\r\n".encode() + HOST
    head += b"Content-Type: application/x-www-form-urlencoded\r\n"
    size = 2 << 20
    if chunked:
        body = [b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % size, b"a=" + b"b" * (size - 2), b"\r\n0\r\n\r\n"]
    else:
        body = [b"Content-Length: %d\r\n\r\n" % size, b"a=" + b"b" * (size - 2)]
    assert status(say(alone, head, *body)) in {413, 404, 303}
    if path in ("/login", "/api/v1/login", "/api/v1/projects", "/new"):
        assert status(say(alone, head, *body)) == 413


def test_several_requests_at_once_are_answered_in_turn(alone: Appliance) -> None:
    asked = b"GET /healthz HTTP/1.1\r\n" + HOST
    answer = say(alone, (asked + b"\r\n") * 5 + asked + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 ") == 6


def test_a_request_in_pieces_is_whole(alone: Appliance) -> None:
    asked = b"GET /api/v1/me HTTP/1.1\r\n" + HOST + b"Connection: close\r\n"
    asked += b"Authorization: Bearer " + alone.key.encode() + b"\r\n\r\n"
    assert status(say(alone, *[asked[at : at + 1] for at in range(len(asked))])) == 200


def test_an_upgrade_that_is_not_to_be_had_is_answered_all_the_same(alone: Appliance) -> None:
    asked = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    with socket.create_connection(("127.0.0.1", alone.port), timeout=15) as line:
        line.sendall(asked + b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
        assert line.recv(65536).startswith(b"HTTP/1.1 200 ")


async def _hold(port: int, first: bytes, drip: bytes) -> float:
    """Sends a little every second, for as long as the other side bears it; says for how long that was."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    began = time.monotonic()
    gone = asyncio.create_task(reader.read())
    while not gone.done() and time.monotonic() - began < 60:
        with contextlib.suppress(ConnectionError):
            writer.write(drip)
            await writer.drain()
        await asyncio.wait([gone], timeout=1)
    writer.close()
    with contextlib.suppress(ConnectionError):
        gone.exception()
    return time.monotonic() - began


@pytest.mark.slow
def test_five_hundred_who_never_come_to_the_point_hold_up_nobody(alone: Appliance) -> None:
    head = b"POST /api/v1/login HTTP/1.1\r\n" + HOST

    async def crowd() -> tuple[list[float], list[float]]:
        held = asyncio.gather(*(_hold(alone.port, head, b"X-%d: 1\r\n" % n) for n in range(500)))
        waits: list[float] = []
        while not held.done() and len(waits) < 200:
            began = time.monotonic()
            answer = await asyncio.to_thread(alone.ask, "GET", "/me")
            waits.append(time.monotonic() - began)
            assert answer.status_code == 200
            await asyncio.wait([held], timeout=0.05)
        return list(await held), waits

    held, waits = asyncio.run(crowd())
    assert max(held) < 30, "each is sent away after ten seconds"
    assert sorted(waits)[len(waits) // 2] < 1


@pytest.mark.slow
def test_a_body_that_only_drips_is_cut_off(alone: Appliance) -> None:
    key = f"Authorization: Bearer {alone.key}\r\n".encode()
    begun = b"POST /api/v1/projects HTTP/1.1\r\n" + HOST + key + b"Content-Length: 1000000\r\n\r\n"
    assert asyncio.run(_hold(alone.port, begun, b" ")) < 50


def test_who_says_nothing_is_sent_away_without_a_word(alone: Appliance, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", alone.port), timeout=30) as line:
        assert heard(line) == b""
