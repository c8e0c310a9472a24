"""The first account, by a link that works once."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.access import setup
from appliance.context import Context
from appliance.errors import Conflict, HomeportError, NotFound
from appliance.machine import clock
from appliance.model.people import SetUp
from tests import inside
from tests.api.test_contract import problem
from tests.appliance import EMAIL, PASSWORD, Appliance

GOOD = {"email": EMAIL, "password": PASSWORD}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Appliance]:
    """Started, and not set up."""
    running = Appliance(tmp_path / "data").start()
    yield running
    running.kill()
    running.http.close()


def post(server: Appliance, body: dict[str, Any]) -> httpx.Response:
    return server.http.post(f"{server.url}/api/v1/setup", json=body)


def test_the_whole_way(bare: Appliance) -> None:
    """One start for all that a link may and may not."""
    token = bare.wait_for_token()
    link = bare.data / "setup-link"
    assert link.read_text() == f"{bare.url}/setup?token={token}\n"
    assert link.stat().st_mode & 0o777 == 0o600
    only_this_answers(bare)

    problem(post(bare, {**GOOD, "token": "x"}), 404)
    problem(post(bare, {**GOOD, "token": token[:-1]}), 404)
    problem(post(bare, {**GOOD, "token": ""}), 422, token="incomplete")
    problem(post(bare, {"token": token}), 422, email="Enter", password="Enter")
    problem(post(bare, {**GOOD, "token": token, "role": "owner"}), 422, role="no such field")
    assert bare.http.get(f"{bare.url}/setup?token=wrong").status_code == 404
    assert bare.http.get(f"{bare.url}/setup?token={token}").status_code == 200

    made = post(bare, {**GOOD, "token": token})
    assert made.status_code == 201
    assert made.json()["person"]["email"] == EMAIL and made.json()["person"]["role"] == "owner"
    assert made.json()["token"]
    assert not link.exists()

    problem(post(bare, {**GOOD, "token": token}), 404)
    problem(post(bare, {}), 404)
    assert bare.http.get(f"{bare.url}/setup?token={token}").status_code in {303, 404}
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    people = bare.http.get(f"{bare.url}/api/v1/activity", headers=bearer).json()["items"]
    assert [one["verb"] for one in people] == ["session.begin", "setup.finish"]
    assert token not in str(people)
    assert token.encode() not in (bare.data / "homeport.db").read_bytes()


def only_this_answers(bare: Appliance) -> None:
    assert bare.http.get(f"{bare.url}/healthz").status_code == 200
    for path in (
        "/",
        "/login",
        "/projects",
        "/docs",
        "/metrics",
        "/api/v1/projects",
        "/api/v1/openapi.json",
        "/nothing",
    ):
        answer = bare.http.get(bare.url + path, headers={"Accept": "text/html"})
        assert answer.status_code == 403, path
    problem(bare.http.post(f"{bare.url}/api/v1/login", json=GOOD), 403)
    assert "set up" in bare.http.get(f"{bare.url}/", headers={"Accept": "text/html"}).text
    assert bare.visit("blog").status_code == 404
    for path in ("/setup/../login", "/static/../login", "/healthz/", "/setupx", "//login", "/static/%2e%2e/login"):
        raw = httpx.Request("GET", httpx.URL(bare.url, raw_path=path.encode()))
        assert bare.http.send(raw).status_code in {403, 404}, path


def test_fifty_at_once_make_one_owner(bare: Appliance) -> None:
    token, start = bare.wait_for_token(), threading.Barrier(50)

    def submit(number: int) -> int:
        with httpx.Client(timeout=60) as http:
            start.wait(20)
            body = {"email": f"owner{number}@example.com", "password": PASSWORD, "token": token}
            return http.post(f"{bare.url}/api/v1/setup", json=body).status_code

    with ThreadPoolExecutor(50) as pool:
        statuses = sorted(pool.map(submit, range(50)))
    assert statuses == [201] + [404] * 49
    bare.stop()
    bare.start()
    assert not bare.setup_token or post(bare, {**GOOD, "token": bare.setup_token}).status_code == 404
    assert not (bare.data / "setup-link").exists()


def test_a_new_link_makes_the_one_before_worthless_and_a_start_makes_a_new_one(bare: Appliance) -> None:
    first = bare.wait_for_token()
    bare.stop()
    second = bare.start().wait_for_token()
    assert first != second
    problem(post(bare, {**GOOD, "token": first}), 404)
    assert post(bare, {**GOOD, "token": second}).status_code == 201


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        yield made


def token_of(link: str) -> str:
    found = re.search(r"token=(\S+)$", link)
    assert found
    return found[1]


def test_a_link_lasts_thirty_minutes(ctx: Context) -> None:
    now = clock.now()
    ctx.now = lambda: now
    token = token_of(setup.make_link(ctx, "http://192.0.2.1:8420"))
    assert setup.minutes_left(ctx, token) == 30
    ctx.now = lambda: now + timedelta(minutes=29, seconds=59)
    assert setup.minutes_left(ctx, token) == 1
    ctx.now = lambda: now + timedelta(minutes=30)
    for ask in (
        lambda: setup.minutes_left(ctx, token),
        lambda: setup.set_up(ctx, SetUp(token, EMAIL, PASSWORD), door="api", ip=None),
    ):
        with pytest.raises(NotFound) as why:
            ask()
        assert "homeport setup-link" in why.value.detail
    assert setup.needed(ctx)


def test_tokens_are_long_and_each_is_new(ctx: Context) -> None:
    tokens = {token_of(setup.make_link(ctx, "http://x")) for _ in range(20)}
    assert len(tokens) == 20 and min(map(len, tokens)) >= 32


def test_once_set_up_there_is_no_new_link(ctx: Context) -> None:
    token = token_of(setup.make_link(ctx, "http://x"))
    setup.set_up(ctx, SetUp(token, EMAIL, PASSWORD), door="api", ip=None)
    with pytest.raises(Conflict):
        setup.make_link(ctx, "http://x")
    with pytest.raises(HomeportError):
        setup.set_up(ctx, SetUp(token, "second@example.com", PASSWORD), door="api", ip=None)


def test_two_appliances_share_no_secret(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with inside.context(tmp_path / name):
            pass
    one, two = ((tmp_path / name / "secret.key").read_bytes() for name in ("one", "two"))
    assert len(one) == 32 and one != two


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda key: key.unlink(), "is missing"),
        (lambda key: key.chmod(0o640), "chmod 600"),
        (lambda key: key.write_bytes(b"short"), "not whole"),
        (lambda key: key.write_bytes(b""), "not whole"),
    ],
    ids=["missing", "open", "short", "empty"],
)
def test_a_secret_that_is_not_in_order_stops_the_start(tmp_path: Path, harm: Any, words: str) -> None:
    with inside.context(tmp_path / "data"):
        pass
    harm(tmp_path / "data" / "secret.key")
    with pytest.raises(HomeportError) as why, inside.context(tmp_path / "data"):
        pass
    assert words in " ".join((why.value.detail, *why.value.todo))
