"""One line an environment: who stands where and why, and what a freeze does to it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.context import Context
from appliance.deploy import pipeline
from appliance.model.deployments import Deployment
from tests import inside
from tests.appliance import EMAIL, PASSWORD, Appliance, zipped
from tests.cli.drive import Cli
from tests.servers import eventually

PLACE = "/projects/blog/environments/production"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made, inside.listening(made):
        yield made


@pytest.fixture
def door(ctx: Context) -> Iterator[httpx.Client]:
    with inside.signed_in(ctx) as client:
        yield client


@pytest.fixture
def slow(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Every deployment stays in its step `inspect` until this is set."""
    go_on, look = threading.Event(), pipeline.inspect

    def wait_first(*given: object) -> object:
        assert go_on.wait(30)
        return look(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "inspect", wait_first)
    yield go_on
    go_on.set()


def state(door: httpx.Client, deployment: Deployment) -> dict[str, object]:
    found: dict[str, object] = door.get(f"/deployments/{deployment.id}").json()
    return found


def freeze(door: httpx.Client, message: str = "Sale until Friday") -> httpx.Response:
    return door.post(f"{PLACE}/freeze", json={"message": message})


def test_one_that_waits_says_where_it_stands_and_after_what(
    ctx: Context, door: httpx.Client, slow: threading.Event
) -> None:
    place = inside.project(ctx, "blog")
    first = inside.upload(ctx, place, {"index.html": "one"})
    with inside.working(ctx):
        eventually(lambda: state(door, first)["status"] == "running")
        second = inside.upload(ctx, place, {"index.html": "two"})
        found = state(door, second)
        assert found["status"] == "queued"
        line = found["queue"]
        assert isinstance(line, dict)
        assert (line["position"], line["cause"]) == (2, "2nd in line, after #1 (running)")
        assert [(one["id"], one["number"], one["status"]) for one in line["after"]] == [(first.id, 1, "running")]
        assert state(door, first)["queue"] is None
        listed = door.get("/deployments").json()["items"]
        assert [one["queue"] and one["queue"]["position"] for one in listed] == [2, None]
        assert "Waits: 2nd in line, after #1 (running)" in door.get(f"/deployments/{second.id}/log").text
        slow.set()
        eventually(lambda: state(door, second)["status"] == "succeeded")
    assert state(door, second)["queue"] is None


def test_one_that_was_overtaken_says_by_what(ctx: Context, door: httpx.Client, slow: threading.Event) -> None:
    place = inside.project(ctx, "blog")
    first = inside.upload(ctx, place, {"index.html": "one"})
    with inside.working(ctx):
        eventually(lambda: state(door, first)["status"] == "running")
        second = inside.upload(ctx, place, {"index.html": "two"})
        third = inside.upload(ctx, place, {"index.html": "three"})
        slow.set()
        eventually(lambda: state(door, third)["status"] == "succeeded")
    found = state(door, second)
    assert (found["status"], found["overtaken_by"], found["queue"]) == ("skipped", third.id, None)
    assert "Skipped: #3 is newer" in door.get(f"/deployments/{second.id}/log").text
    token = door.headers["Authorization"].removeprefix("Bearer ")
    cli = Cli({"HOMEPORT_SERVER": f"http://127.0.0.1:{ctx.base.port}", "HOMEPORT_KEY": token})
    assert third.id in cli("deployments", "show", second.id).stdout
    with httpx.Client(base_url=f"http://127.0.0.1:{ctx.base.port}", headers={"Accept": "text/html"}) as browser:
        browser.post("/login", data={"email": EMAIL, "password": PASSWORD})
        for path in ("/deployments", "/projects/blog", PLACE, f"/deployments/{second.id}"):
            assert f'<a href="/deployments/{third.id}">#3</a>' in browser.get(path).text, path


def test_one_that_waits_for_nothing_but_a_worker_is_next(ctx: Context, door: httpx.Client) -> None:
    waiting = inside.upload(ctx, inside.project(ctx, "blog"), {"index.html": "one"})
    line = state(door, waiting)["queue"]
    assert line == {"position": 1, "after": [], "cause": "next in line, as soon as a worker is free"}


def test_a_frozen_environment_takes_nothing_and_says_who_when_why_and_how_to_go_on(server: Appliance) -> None:
    server.project("frozen-still")
    one = server.deploy("frozen-still", {"index.html": "one"})
    server.deploy("frozen-still", {"index.html": "two"})
    place = "/projects/frozen-still/environments/production"
    made = server.ask("POST", f"{place}/freeze", json={"message": "Sale until Friday"})
    assert made.status_code == 200 and made.json()["frozen"]["message"] == "Sale until Friday"
    server.ask("POST", "/projects/frozen-still/environments", json={"name": "staging"})
    server.deploy("frozen-still", {"index.html": "three"}, "staging")
    tried = (
        server.send("frozen-still", zipped({"index.html": "three"})),
        server.ask("POST", f"{place}/deployments", json={"bundle": one["bundle"]}),
        server.ask("POST", f"{place}/rollback", json={}),
        server.ask("POST", f"{place}/promote", json={"from": "staging"}),
    )
    for answer in tried:
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (409, "urn:homeport:frozen")
        assert "is frozen by ci key since 2" in problem["detail"] and "Sale until Friday" in problem["detail"]
        assert "homeport environments thaw production --project frozen-still" in problem["todo"][0]
    assert len(server.get(f"{place}/deployments")["items"]) == 2
    assert server.visit("frozen-still").text == "two"
    assert server.ask("DELETE", f"{place}/freeze").json()["frozen"] is None
    assert server.send("frozen-still", zipped({"index.html": "three"})).status_code == 201


def test_freezing_what_is_frozen_is_refused_and_thawing_what_is_not_is_fine(server: Appliance) -> None:
    server.project("frozen-twice")
    place = "/projects/frozen-twice/environments/production"
    assert server.ask("DELETE", f"{place}/freeze").status_code == 200
    assert server.ask("POST", f"{place}/freeze", json={"message": "one"}).status_code == 200
    again = server.ask("POST", f"{place}/freeze", json={"message": "two"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:homeport:frozen")
    assert server.get(place)["frozen"]["message"] == "one"
    for message in ("", " ", "x" * 301, "two\nlines", None):
        assert server.ask("POST", f"{place}/freeze", json={"message": message}).status_code == 422


def test_what_was_queued_before_a_freeze_waits_until_the_thaw(ctx: Context, door: httpx.Client) -> None:
    waiting = inside.upload(ctx, inside.project(ctx, "blog"), {"index.html": "one"})
    assert freeze(door).status_code == 200
    with inside.working(ctx):
        elsewhere = inside.upload(ctx, inside.project(ctx, "other"), {"index.html": "x"})
        eventually(lambda: state(door, elsewhere)["status"] == "succeeded")
        found = state(door, waiting)
        assert found["status"] == "queued"
        line = found["queue"]
        assert isinstance(line, dict) and "is frozen by" in line["cause"] and "Sale until Friday" in line["cause"]
        assert door.delete(f"{PLACE}/freeze").status_code == 200
        eventually(lambda: state(door, waiting)["status"] == "succeeded")
    log = door.get(f"/deployments/{waiting.id}/log").text
    assert "Waits: blog production is frozen by" in log and "thawed blog production" in log


def test_what_runs_when_a_freeze_comes_goes_to_its_end(ctx: Context, door: httpx.Client, slow: threading.Event) -> None:
    running = inside.upload(ctx, inside.project(ctx, "blog"), {"index.html": "one"})
    with inside.working(ctx):
        eventually(lambda: state(door, running)["status"] == "running")
        assert freeze(door).status_code == 200
        slow.set()
        eventually(lambda: state(door, running)["status"] == "succeeded")
    assert state(door, running)["live"]


def test_what_a_freeze_holds_can_be_cancelled(ctx: Context, door: httpx.Client) -> None:
    waiting = inside.upload(ctx, inside.project(ctx, "blog"), {"index.html": "one"})
    freeze(door)
    pipeline.deploy(ctx, waiting.id, 1)  # a worker takes it up, and puts it back
    assert state(door, waiting)["status"] == "queued"
    assert door.post(f"/deployments/{waiting.id}/cancel").status_code == 202
    door.delete(f"{PLACE}/freeze")
    assert state(door, waiting)["status"] == "cancelled"


def test_the_same_request_under_a_key_is_answered_in_a_freeze_too(server: Appliance) -> None:
    """Whoever asks again learns what came of it."""
    server.project("frozen-known")
    path = "/projects/frozen-known/environments/production/deployments?wait=30"
    headers = {"Content-Type": "application/zip", "Idempotency-Key": "one"}
    body = zipped({"index.html": "x"})
    first = server.ask("POST", path, content=body, headers=headers)
    server.ask("POST", "/projects/frozen-known/environments/production/freeze", json={"message": "x"})
    second = server.ask("POST", path, content=body, headers=headers)
    assert (second.status_code, second.json()["id"]) == (201, first.json()["id"])
