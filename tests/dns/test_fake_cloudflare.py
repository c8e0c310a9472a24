"""The fake refuses what the real API refuses, with its codes."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.cloudflare import FakeCloudflare

GOOD = {"name": "a.example.com", "type": "A", "content": "192.0.2.1", "ttl": 300, "proxied": False}
NAME = {"type": "CNAME", "content": "b.example.net"}


@pytest.fixture
def cloudflare() -> Iterator[FakeCloudflare]:
    with FakeCloudflare() as fake:
        fake.add_zone("example.com")
        yield fake


def ask(
    cloudflare: FakeCloudflare, method: str, path: str, body: object = None, authorization: str | None = None
) -> tuple[int, Any]:
    given = f"Bearer {cloudflare.token.secret}" if authorization is None else authorization
    connection = http.client.HTTPConnection(cloudflare.url.split("/")[2], timeout=5)
    headers = {"Authorization": given} if given else {}
    connection.request(method, f"/client/v4{path}", json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def code(answer: Any) -> int:
    error = answer["errors"][0]
    found: int = error.get("error_chain", [error])[0]["code"]
    return found


def at(cloudflare: FakeCloudflare, rest: str = "") -> str:
    return f"/zones/{cloudflare.zones[0].id}/dns_records{rest}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"content": "192.0.2"}, 9005),
        ({"type": "AAAA"}, 9006),
        ({"type": "CNAME"}, 9007),
        ({"type": "CNAME", "content": "https://example.net/"}, 9007),
        ({"type": "CNAME", "content": "a.example.com"}, 9039),
        ({"content": "192.168.0.1", "proxied": True}, 9003),
        ({"type": "TXT", "proxied": True}, 9004),
        ({"type": "TYPE7"}, 9001),
        ({"name": "a b"}, 9000),
        ({"ttl": 30}, 9021),
        ({"ttl": "300"}, 9022),
        ({"comment": "x" * 101}, 9313),
    ],
)
def test_a_record_that_is_not_well_formed_is_a_400(
    cloudflare: FakeCloudflare, change: dict[str, object], expected: int
) -> None:
    status, answer = ask(cloudflare, "POST", at(cloudflare), GOOD | change)
    assert (status, code(answer)) == (400, expected)
    assert not cloudflare.records


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {}, 81058),
        ({}, NAME, 81053),
        (NAME, {}, 81054),
        (NAME, NAME | {"content": "c.example.net"}, 81053),
        ({"type": "NS", "content": "ns.example.net"}, {}, 81056),
    ],
)
def test_records_that_can_t_stand_together_are_a_400(
    cloudflare: FakeCloudflare, first: dict[str, object], second: dict[str, object], expected: int
) -> None:
    assert ask(cloudflare, "POST", at(cloudflare), GOOD | first)[0] == 200
    status, answer = ask(cloudflare, "POST", at(cloudflare), GOOD | second)
    assert (status, code(answer)) == (400, expected)


@pytest.mark.parametrize(
    ("path", "authorization", "status", "expected"),
    [
        ("/zones", "", 400, 9106),
        ("/user/tokens/verify", "", 400, 1001),
        ("/zones", "Bearer too-short", 400, 6111),
        ("/zones", f"Bearer {'A' * 40}", 403, 9109),
        ("/user/tokens/verify", f"Bearer {'A' * 40}", 401, 1000),
        (f"/zones/{'0' * 32}/dns_records", f"Bearer {'A' * 40}", 401, 10000),
        (f"/zones/{'0' * 32}/dns_records", None, 403, 10000),
        ("/zones/example.com/dns_records", None, 404, 7003),
    ],
)
def test_who_asks_and_where(
    cloudflare: FakeCloudflare, path: str, authorization: str | None, status: int, expected: int
) -> None:
    got, answer = ask(cloudflare, "GET", path, authorization=authorization)
    assert (got, code(answer)) == (status, expected)


def test_a_record_that_isn_t_there_is_a_404_only_for_who_may_edit(cloudflare: FakeCloudflare) -> None:
    nowhere = at(cloudflare, f"/{'0' * 32}")
    assert [ask(cloudflare, method, nowhere, GOOD)[0] for method in ("PATCH", "PUT", "DELETE")] == [404] * 3
    cloudflare.zones[0].edit = False
    assert [ask(cloudflare, method, nowhere, GOOD)[0] for method in ("PATCH", "PUT", "DELETE")] == [403] * 3
    assert ask(cloudflare, "GET", at(cloudflare))[0] == 200


def test_a_batch_is_done_whole_or_not_at_all(cloudflare: FakeCloudflare) -> None:
    old = cloudflare.add_record("a.example.com", "A", "192.0.2.9")
    batch = {"deletes": [{"id": old.id}], "posts": [GOOD, GOOD]}
    assert code(ask(cloudflare, "POST", at(cloudflare, "/batch"), batch)[1]) == 81058
    assert cloudflare.records == [old]
    assert ask(cloudflare, "POST", at(cloudflare, "/batch"), batch | {"posts": [GOOD]})[0] == 200
    assert [record.content for record in cloudflare.records] == ["192.0.2.1"]


def test_past_the_last_page_it_is_empty(cloudflare: FakeCloudflare) -> None:
    pages = [ask(cloudflare, "GET", f"/zones?page={page}")[1]["result"] for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [1, 0, 0]


def test_a_name_outside_the_zone_is_taken_for_one_inside(cloudflare: FakeCloudflare) -> None:
    ask(cloudflare, "POST", at(cloudflare), GOOD | {"name": "a.example.net"})
    assert cloudflare.records[0].name == "a.example.net.example.com"
