"""What only Homeport's own server has to show: it follows no link, holds to one release, lets go of who left."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from appliance.nginx.template import SiteConf, render
from appliance.web import sites
from tests.releases import make_release
from tests.servers import Address, Answer, Nginx, ask, eventually, serving

HOST = "www.example.com"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


@pytest.fixture
def address(root: Path) -> Iterator[Address]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sites.serve(scope, receive, send, sites.Shown(root))

    with serving(app) as address:
        yield address


def test_no_link_is_followed_inside_a_release(root: Path, address: Address, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/index.html").write_text("secret")
    (root / "folder").symlink_to(tmp_path / "secret")
    (root / "file.html").symlink_to(tmp_path / "secret/index.html")
    (root / "index.html").symlink_to(tmp_path / "secret/index.html")
    (root / "404.html").symlink_to(tmp_path / "secret/index.html")
    for path in ("/", "/folder/", "/folder", "/folder/index.html", "/file.html", "/404.html"):
        found = ask(address, path)
        assert (found.status, b"secret" in found.body) == (404, False), path


def test_what_is_no_plain_file_is_not_there(root: Path, address: Address) -> None:
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as odd:
        odd.bind(str(root / "socket"))
        assert {ask(address, path).status for path in ("/pipe", "/socket", "/folder", "/folder/")} == {404}


def test_nothing_stays_open(root: Path, address: Address) -> None:
    (root / "index.html").write_text("x")
    (root / "large.bin").write_bytes(b"x" * 3_000_000)
    (root / "a/b/c").mkdir(parents=True)
    ask(address, "/")
    before = len(os.listdir("/proc/self/fd"))
    for path in ("/", "/large.bin", "/missing", "/a/b/c/missing", "/a", "/../x", "/large.bin"):
        ask(address, path)
        ask(address, path, range="bytes=1-2,4-5")
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_a_visitor_who_leaves_is_let_go(root: Path, address: Address) -> None:
    with (root / "huge.bin").open("wb") as file:
        file.truncate(8 << 30)
    threads = threading.active_count()
    with socket.create_connection(address) as visitor:
        visitor.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        assert visitor.recv(1 << 20)
        eventually(lambda: _open_at(root / "huge.bin"))
    eventually(lambda: not _open_at(root / "huge.bin"))
    assert ask(address, "/huge.bin", method="HEAD").headers["content-length"] == str(8 << 30)
    assert threading.active_count() < threads + 40


def _open_at(file: Path) -> bool:
    found = [f"/proc/self/fd/{handle}" for handle in os.listdir("/proc/self/fd")]
    return any(os.path.lexists(handle) and os.path.realpath(handle) == str(file) for handle in found)


def test_an_answer_is_of_one_release(tmp_path: Path) -> None:
    """The pointer moves while an answer is on its way: the rest still comes from where it began."""
    old, new = (make_release(tmp_path, {"large.bin": letter * 1_000_000}) for letter in "ab")
    pointer = tmp_path / "pointer"
    pointer.symlink_to(old.path)
    body = bytearray()

    async def send(message: Message) -> None:
        body.extend(message.get("body", b""))
        pointer.unlink()
        pointer.symlink_to(new.path)

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    scope: Scope = {"type": "http", "method": "GET", "raw_path": b"/large.bin", "query_string": b"", "headers": []}
    with ThreadPoolExecutor(1) as pool:  # a loop of its own, whatever runs in this thread
        pool.submit(asyncio.run, sites.serve(scope, receive, send, sites.Shown(pointer))).result()
    assert bytes(body) == b"a" * 1_000_000


# Beside NGINX


TOKENS = rb"/ // . .. %2e %2F % %25 %00 a docs index.html %C3%BC + %20 ? # .git .well-known ~ %7e \ x.html *".split()
TARGETS = st.lists(st.sampled_from(TOKENS), max_size=8).map(lambda parts: b"/" + b"".join(parts))
NUMBERS = st.integers(0, 25).map(str)
RANGES = st.lists(
    st.one_of(
        st.tuples(NUMBERS, st.just("-"), NUMBERS),
        st.tuples(NUMBERS, st.just("-")),
        st.tuples(st.just("-"), NUMBERS),
        st.tuples(st.sampled_from(["", " ", "-", "x", "1 -2", " 3 - 4 "])),
    ).map("".join),
    min_size=1,
    max_size=4,
).map(lambda parts: "bytes=" + ",".join(parts))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Address, Address]]:
    folder = tmp_path_factory.mktemp("pair")
    release = make_release(folder, {
        "index.html": "home", "docs/index.html": "docs", "docs/x.html": "x", "a/a/x.html": "x", "ü/index.html": "u",
        "docs/a": "twenty bytes of text", ".well-known/a": "w", ".git/a": "g", "+/~": "plus", "?/x.html": "question",
    })  # fmt: skip

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sites.serve(scope, receive, send, sites.Shown(release.path))

    with Nginx(folder / "etc") as nginx, serving(app) as address:
        nginx.site("ours", render(SiteConf(HOST, release.path, (f"127.0.0.1:{nginx.port}",))))
        nginx.reload()
        yield address, nginx.address


def _told(answer: Answer) -> tuple[object, ...]:
    return answer.status, answer.headers.get("location"), answer.body if answer.status in (200, 404) else b""


@pytest.mark.nginx
@tries(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TARGETS)
def test_any_path_is_taken_as_nginx_takes_it(pair: tuple[Address, Address], target: bytes) -> None:
    own, theirs = (ask(address, target, HOST) for address in pair)
    assert _told(own) == _told(theirs)


@pytest.mark.nginx
@tries(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RANGES)
def test_any_range_is_taken_as_nginx_takes_it(pair: tuple[Address, Address], asked: str) -> None:
    own, theirs = (ask(address, "/docs/a", HOST, range=asked) for address in pair)
    assert (own.status, own.headers.get("content-range")) == (theirs.status, theirs.headers.get("content-range"))
    assert own.headers.get("content-length") == theirs.headers.get("content-length") or own.status == 416
    if "multipart" not in own.headers["content-type"] and own.status != 416:
        assert own.body == theirs.body
