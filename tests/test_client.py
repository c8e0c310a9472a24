"""The client over real sockets: what it sends, what it makes of answers, good, bad and broken off."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from appliance.client import Client, ClientError, Unreachable, Upload, server_url
from appliance.client import connection as client_module
from appliance.errors import BadRequest, NotFound
from tests.cli.wire import Call, wire

KEY = "hp_the-key-that-nobody-sees"
PROBLEM = {
    "type": "urn:homeport:too_large",
    "title": "Too large",
    "status": 413,
    "detail": "The upload is over 2 GiB.",
    "todo": ["Leave out what need not be served."],
    "errors": {"body": "Too large"},
    "said": "413",
}


def refuse(call: Call) -> None:
    call.answer(413, json.dumps(PROBLEM).encode(), "application/problem+json")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PAUSES", (0.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://deploy.example.net", "https://deploy.example.net"),
        (" https://Deploy.Example.NET:443/projects?q=1#top ", "https://deploy.example.net"),
        ("HTTP://192.0.2.7:80", "http://192.0.2.7"),
        ("http://192.0.2.7:8420/setup?token=abc", "http://192.0.2.7:8420"),
        ("deploy.example.net", "https://deploy.example.net"),
        ("localhost:8420", "http://localhost:8420"),
        ("127.0.0.1:8420", "http://127.0.0.1:8420"),
        ("http://[::1]:8420/", "http://[::1]:8420"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_a_server_has_one_spelling(given: str, meant: str) -> None:
    assert server_url(given) == meant
    assert server_url(meant) == meant


@pytest.mark.parametrize(
    "given",
    ["", "http://", "ftp://example.com", "http://a b", "http://exa%6dple.com", "http://h:99999", "http://u:p@h"],
)
def test_what_is_no_server_is_refused(given: str) -> None:
    with pytest.raises(BadRequest) as why:
        server_url(given)
    assert why.value.todo


def test_the_key_goes_in_the_header_and_nowhere_else() -> None:
    with wire(lambda call: call.answer(200, b'{"name": "blog"}')) as server, Client(server.url, KEY) as client:
        assert client.project("blog")["name"] == "blog"
        assert KEY not in repr(client)
    call = server.calls[0]
    assert call.line == "GET /api/v1/projects/blog HTTP/1.1"
    assert call.header("Authorization") == f"Bearer {KEY}"
    assert call.head.count(KEY) == 1


def test_names_are_one_step_of_the_path() -> None:
    with wire(lambda call: call.answer(200, b"{}")) as server, Client(server.url) as client:
        client.project("a/b?c#d %")
        for name in ("", ".", ".."):
            with pytest.raises(NotFound):
                client.project(name)
    assert [call.path for call in server.calls] == ["/api/v1/projects/a%2Fb%3Fc%23d%20%25"]


def test_a_problem_carries_everything_that_was_said() -> None:
    with wire(refuse) as server, Client(server.url) as client, pytest.raises(ClientError) as why:
        client.me()
    problem = why.value
    assert (problem.status, problem.title, problem.detail) == (413, "Too large", "The upload is over 2 GiB.")
    assert (problem.code, problem.errors, problem.said) == ("too_large", {"body": "Too large"}, "413")
    assert problem.todo == ("Leave out what need not be served.",)


def test_a_failed_deployment_comes_with_its_problem() -> None:
    body = json.dumps({"status": 422, "title": "No", "detail": "No.", "deployment": {"id": "d1", "status": "failed"}})
    with wire(lambda call: call.answer(422, body.encode())) as server, Client(server.url) as client:
        with pytest.raises(ClientError) as why:
            client.deploy_bundle("blog", "production", "0" * 64, wait=60)
    assert why.value.deployment is not None
    assert why.value.deployment["id"] == "d1"
    assert server.calls[0].path.endswith("/deployments?wait=60")


def test_lists_are_followed_by_cursor() -> None:
    with wire(pages) as server, Client(server.url) as client:
        assert [one["name"] for one in client.projects()["items"]] == [f"p{number}" for number in range(450)]
        assert client.projects()["next"] is None
    assert [call.path.partition("?")[2] for call in server.calls[:3]] == [
        "limit=200",
        "limit=200&cursor=200",
        "limit=200&cursor=400",
    ]


def test_a_limit_ends_a_list_and_says_where_it_goes_on() -> None:
    with wire(pages) as server, Client(server.url) as client:
        page = client.projects("p", limit=210)
    assert len(page["items"]) == 210
    assert page["next"] == "210"
    assert [call.path.partition("?")[2] for call in server.calls] == ["q=p&limit=200", "q=p&limit=10&cursor=200"]


def pages(call: Call) -> None:
    asked = dict(pair.split("=") for pair in call.path.partition("?")[2].split("&"))
    begin = int(asked.get("cursor", 0))
    end = min(450, begin + int(asked["limit"]))
    rows = [{"name": f"p{number}"} for number in range(begin, end)]
    call.answer(200, json.dumps({"items": rows, "next": str(end) if end < 450 else None}).encode())


def test_nothing_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", KEY) as client, pytest.raises(Unreachable) as why:
        client.me()
    assert f"127.0.0.1:{port}" in why.value.detail
    assert why.value.todo == ("Check the address, and whether the server is running.",)


@pytest.mark.parametrize(
    ("status", "body", "more", "expected"),
    [
        (200, b"<h1>Router</h1>", "", "is not Homeport"),
        (502, b"<h1>Bad gateway</h1>", "", "answered 502"),
        (404, b"<h1>Not found</h1>", "", "not as Homeport does"),
        (301, b"", "Location: https://deploy.example.net/\r\n", "https://deploy.example.net/"),
    ],
)
def test_something_else_there_is_unreachable_too(status: int, body: bytes, more: str, expected: str) -> None:
    with wire(lambda call: call.answer(status, body, "text/html", more)) as server, Client(server.url) as client:
        with pytest.raises(Unreachable) as why:
            client.me()
    assert expected in why.value.detail


def test_a_server_that_hangs_up_is_unreachable() -> None:
    with wire(lambda call: None) as server, Client(server.url) as client, pytest.raises(Unreachable) as why:
        client.me()
    assert "broke" in why.value.detail


def test_a_server_that_says_nothing_is_given_up() -> None:
    done = threading.Event()

    def wait(_: Call) -> None:
        done.wait(10)

    with wire(wait) as server, Client(server.url, timeout=0.2) as client:
        with pytest.raises(Unreachable) as why:
            client.me()
        done.set()
    assert "too long" in why.value.detail


def test_an_upload_is_streamed_in_chunks() -> None:
    taken: list[bytes] = []

    def take(call: Call) -> None:
        taken.append(call.body())
        call.answer(202, b'{"id": "d1"}')

    with wire(take) as server, Client(server.url) as client:
        found = client.deploy("blog", "production", Upload(iter([b"one", b"two" * 100_000]), filename='ü".zip'))
    assert found["id"] == "d1"
    assert taken == [b"one" + b"two" * 100_000]
    call = server.calls[0]
    assert call.line == "POST /api/v1/projects/blog/environments/production/deployments HTTP/1.1"
    assert call.header("Content-Type") == "application/zip"
    assert call.header("Transfer-Encoding") == "chunked"
    assert call.header("Content-Disposition") == "attachment; filename=\"__.zip\"; filename*=UTF-8''%C3%BC%22.zip"


def test_an_upload_of_known_size_says_so() -> None:
    taken: list[bytes] = []

    def take(call: Call) -> None:
        taken.append(call.body())
        call.answer(202, b"{}")

    with wire(take) as server, Client(server.url) as client:
        client.deploy("blog", "production", Upload([b"abc", b"def"], 6))
    assert taken == [b"abcdef"]
    assert server.calls[0].header("Content-Length") == "6"


class Sent:
    """A large body that counts what was taken of it."""

    total = 256 << 20

    def __init__(self) -> None:
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.count < self.total:
            self.count += 1 << 18
            yield bytes(1 << 18)


@pytest.mark.parametrize("size", [None, Sent.total])
def test_a_refusal_while_still_sending_is_heard_when_the_server_hangs_up(size: int | None) -> None:
    sent = Sent()
    with wire(refuse) as server, Client(server.url) as client, pytest.raises(ClientError) as why:
        client.deploy("blog", "production", Upload(sent, size))
    assert why.value.detail == "The upload is over 2 GiB."
    assert sent.count < sent.total


@pytest.mark.parametrize("size", [None, Sent.total])
def test_a_refusal_is_heard_at_once_from_a_server_that_reads_on(size: int | None) -> None:
    def refuse_and_read_on(call: Call) -> None:
        refuse(call)
        while call.connection.recv(1 << 20):
            pass

    sent = Sent()
    with wire(refuse_and_read_on) as server, Client(server.url) as client, pytest.raises(ClientError) as why:
        client.deploy("blog", "production", Upload(sent, size))
    assert why.value.status == 413
    assert sent.count < sent.total


def test_what_fails_while_the_body_is_made_comes_out_as_it_is() -> None:
    def body() -> Iterator[bytes]:
        yield b"some"
        raise NotFound("It is gone.")

    def take(call: Call) -> None:
        call.body()

    with wire(take) as server, Client(server.url) as client, pytest.raises(NotFound):
        client.deploy("blog", "production", Upload(body()))


def stream(call: Call, *parts: bytes, whole: bool) -> None:
    call.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in parts:
        call.send(b"%x\r\n%s\r\n" % (len(part), part))
    if whole:
        call.send(b"0\r\n\r\n")


def line(number: int, text: str) -> bytes:
    data = {"number": number, "at": "2027-01-31T00:00:00.000Z", "step": "unpack", "level": "info", "text": text}
    return f"id: {number}\nevent: line\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


END = b"event: end\ndata: {}\n\n"


def test_a_log_is_taken_up_where_it_broke_off() -> None:
    lost: list[bool] = []
    two = line(2, "two")
    shares = {
        "": ([b": hello\n\n", line(1, "one"), two[:20], two[20:], line(3, "half a line")[:-9]], False),
        "2": ([b"retry: 1\n\n", line(3, "three")], True),
        "3": ([line(4, "four").replace(b"\n", b"\r\n"), END], False),
    }

    def script(call: Call) -> None:
        parts, whole = shares[call.header("Last-Event-ID")]
        stream(call, *parts, whole=whole)

    with wire(script) as server, Client(server.url) as client:
        lines = list(client.follow_log("d1", lost=lambda: lost.append(True)))
    assert [(one["number"], one["text"]) for one in lines] == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]
    assert [call.header("Last-Event-ID") for call in server.calls] == ["", "2", "3"]
    assert all(call.header("Accept") == "text/event-stream" for call in server.calls)
    assert len(lost) == 2


def test_a_line_is_what_ends_with_a_line_feed() -> None:
    text = "a\u2028b\x85c\x0bd \N{PARTY POPPER}"
    data = line(1, text) + END
    with wire(lambda call: stream(call, *(data[at : at + 1] for at in range(len(data))), whole=True)) as server:
        with Client(server.url) as client:
            assert [one["text"] for one in client.follow_log("d1")] == [text]


def test_a_log_that_stays_lost_is_given_up() -> None:
    with wire(lambda call: None) as server, Client(server.url) as client, pytest.raises(Unreachable):
        list(client.follow_log("d1"))
    assert len(server.calls) == 4


def test_a_refused_log_is_not_tried_again() -> None:
    with wire(refuse) as server, Client(server.url) as client, pytest.raises(ClientError):
        list(client.follow_log("d1"))
    assert len(server.calls) == 1


def test_a_bundle_comes_back_byte_for_byte() -> None:
    data = bytes(range(256)) * 1000
    with wire(lambda call: call.answer(200, data, "application/zip")) as server, Client(server.url) as client:
        assert b"".join(client.download_bundle("0" * 64)) == data
    assert server.calls[0].path == f"/api/v1/bundles/{'0' * 64}/download"
