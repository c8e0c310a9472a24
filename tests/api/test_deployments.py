"""Starting, waiting, repeating, stopping, finding deployments."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.test_contract import problem
from tests.appliance import Appliance, zipped

PLACE = "/projects/{}/environments/{}"


def path(project: str, what: str, environment: str = "production", wait: int | None = 30) -> str:
    query = "" if wait is None else f"?wait={wait}"
    return PLACE.format(project, environment) + f"/{what}{query}"


def slow_zip(name: str) -> bytes:
    """One that takes a moment to unpack."""
    return zipped(
        {f"{number:05}.txt": f"{name} {number}" for number in range(2500)} | {"index.html": name}, compresslevel=0
    )


@pytest.fixture(scope="module")
def slow() -> bytes:
    return slow_zip("slow")


def ended(server: Appliance, deployment: str) -> Any:
    """The deployment when it is over, without polling: its log ends with it."""
    server.ask("GET", f"/deployments/{deployment}/log?follow=1")
    return server.get(f"/deployments/{deployment}")


@pytest.mark.parametrize("wait", [None, 0])
def test_without_waiting_the_answer_is_202(server: Appliance, wait: int | None) -> None:
    name = server.project(f"nowait-{wait or 0}-{'none' if wait is None else 'zero'}")
    answer = server.send(name, zipped({"index.html": "x"}), wait=wait)
    assert answer.status_code == 202
    assert answer.json()["status"] in {"queued", "running"}
    assert ended(server, answer.json()["id"])["status"] == "succeeded"


def test_when_time_runs_out_the_answer_is_202(server: Appliance, slow: bytes) -> None:
    server.project("impatient")
    query = path("impatient", "deployments", wait=None) + "?wait=0.01"
    answer = server.ask("POST", query, content=slow, headers={"Content-Type": "application/zip"})
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/deployments/{answer.json()['id']}"
    assert ended(server, answer.json()["id"])["status"] == "succeeded"


def test_a_failure_that_was_waited_for_carries_its_deployment(server: Appliance) -> None:
    server.project("fails")
    body = bytearray(zipped({"index.html": "the content of it"}))
    at = body.index(b"index.html") + len("index.html")
    body[at] ^= 0xFF
    said = problem(server.send("fails", bytes(body)), 422)
    deployment = said["deployment"]
    assert deployment["status"] == "failed" and not deployment["live"]
    assert deployment["error"]["detail"] == said["detail"]
    assert server.visit("fails").status_code == 404
    statuses = [step["status"] for step in deployment["steps"]]
    assert statuses == ["succeeded", "failed", "skipped", "skipped", "skipped", "skipped", "skipped"]


def test_a_failure_leaves_what_is_live_alone(server: Appliance) -> None:
    server.project("keeps")
    server.deploy("keeps", {"index.html": "good"})
    body = bytearray(zipped({"index.html": "the content of it"}))
    body[body.index(b"index.html") + len("index.html")] ^= 0xFF
    assert server.send("keeps", bytes(body)).status_code == 422
    assert server.visit("keeps").text == "good"
    assert server.get(PLACE.format("keeps", "production"))["live"]["number"] == 1


def once(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key, "Content-Type": "application/zip"}


def test_the_same_key_again_is_the_same_deployment(server: Appliance) -> None:
    server.project("once")
    body = zipped({"index.html": "once"})
    first = server.ask("POST", path("once", "deployments"), content=body, headers=once("a"))
    again = server.ask("POST", path("once", "deployments"), content=body, headers=once("a"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = server.ask("POST", path("once", "deployments"), content=body, headers=once("b"))
    assert other.json()["number"] == 2


def test_the_same_key_at_once_is_one_deployment(server: Appliance) -> None:
    server.project("race")
    body = zipped({"index.html": "race"})
    start = threading.Barrier(8)

    def send(_: int) -> Any:
        start.wait(10)
        with httpx.Client(timeout=30) as http:
            url = f"{server.url}/api/v1{path('race', 'deployments')}"
            return http.post(
                url, content=body, headers={**once("race"), "Authorization": f"Bearer {server.key}"}
            ).json()

    with ThreadPoolExecutor(8) as pool:
        found = {one["id"] for one in pool.map(send, range(8))}
    assert len(found) == 1
    assert len(server.get("/deployments?project=race")["items"]) == 1


def test_the_same_key_for_something_else_is_refused_and_leaves_nothing(server: Appliance) -> None:
    server.project("twice")
    where = path("twice", "deployments")
    server.ask("POST", where, content=zipped({"index.html": "1"}), headers=once("twice"))
    before = sorted(str(one) for one in (server.data / "bundles").rglob("*.zip"))
    answer = server.ask(
        "POST", path("twice", "deployments"), content=zipped({"index.html": "2"}), headers=once("twice")
    )
    problem(answer, 409)
    assert sorted(str(one) for one in (server.data / "bundles").rglob("*.zip")) == before
    assert not os.listdir(server.data / "incoming")
    problem(server.ask("POST", path("twice", "rollback"), json={}, headers={"Idempotency-Key": "twice"}), 409)
    assert len(server.get("/deployments?project=twice")["items"]) == 1


def test_a_repeated_rollback_goes_back_once(server: Appliance) -> None:
    """The retry of a client that lost the answer, long after what is live has changed."""
    server.project("retry")
    for number in range(3):
        server.deploy("retry", {"index.html": str(number)})
    key = {"Idempotency-Key": "back"}
    first = server.ask("POST", path("retry", "rollback"), json={}, headers=key)
    again = server.ask("POST", path("retry", "rollback"), json={}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert first.json()["id"] == again.json()["id"]
    assert server.visit("retry").text == "1"


def test_a_repeated_promotion_promotes_once(server: Appliance) -> None:
    server.project("lift")
    server.ask("POST", "/projects/lift/environments", json={"name": "staging"})
    server.deploy("lift", {"index.html": "one"}, "staging")
    key = {"Idempotency-Key": "up"}
    first = server.ask("POST", path("lift", "promote"), json={"from": "staging"}, headers=key)
    server.deploy("lift", {"index.html": "two"}, "staging")
    again = server.ask("POST", path("lift", "promote"), json={"from": "staging"}, headers=key)
    assert first.json()["id"] == again.json()["id"], again.text
    assert server.visit("lift").text == "one"


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_has_a_length(server: Appliance, key: str) -> None:
    server.project(f"key-{len(key)}")
    answer = server.ask("POST", path(f"key-{len(key)}", "rollback"), json={}, headers={"Idempotency-Key": key})
    problem(answer, 422, **{"Idempotency-Key": "1 to 255"})


@pytest.fixture
def busy(server: Appliance) -> Callable[[str], str]:
    """Makes a project in which a deployment is running, and says which."""

    def start(name: str) -> str:
        server.project(name)
        found: str = server.send(name, slow_zip(name), wait=None).json()["id"]
        while server.get(f"/deployments/{found}")["status"] == "queued":
            time.sleep(0.005)
        return found

    return start


def test_a_queued_one_is_cancelled_at_once(server: Appliance, busy: Callable[[str], str]) -> None:
    running = busy("stop-queued")
    queued = server.send("stop-queued", zipped({"index.html": "queued"}), wait=None).json()
    answer = server.ask("POST", f"/deployments/{queued['id']}/cancel")
    assert answer.status_code == 202
    assert answer.json()["status"] == "cancelled"
    assert ended(server, running)["status"] == "succeeded"
    after = server.get(f"/deployments/{queued['id']}")
    assert (after["status"], after["started_at"], after["live"]) == ("cancelled", None, False)
    assert {step["status"] for step in after["steps"][1:]} <= {"waiting", "skipped"}
    assert server.visit("stop-queued").text == "stop-queued"


def test_a_running_one_stops_and_takes_back(server: Appliance, busy: Callable[[str], str]) -> None:
    running = busy("stop-running")
    assert server.ask("POST", f"/deployments/{running}/cancel").status_code == 202
    after = ended(server, running)
    assert (after["status"], after["live"]) == ("cancelled", False)
    assert server.visit("stop-running").status_code == 404
    assert "ci key asked to cancel" in server.log(running)
    verbs = [one["verb"] for one in server.get("/activity?project=stop-running")["items"]]
    assert verbs[:2] == ["deployment.cancelled", "deployment.cancel"]
    assert server.send("stop-running", zipped({"index.html": "next"})).status_code == 201


def test_one_that_is_over_can_not_be_cancelled(server: Appliance) -> None:
    server.project("too-late")
    made = server.deploy("too-late", {"index.html": "x"})
    said = problem(server.ask("POST", f"/deployments/{made['id']}/cancel"), 409)
    assert said["type"] == "urn:homeport:over"
    problem(server.ask("POST", "/deployments/no-such/cancel"), 404)
    assert server.get(f"/deployments/{made['id']}")["live"]


def test_waiting_for_one_that_is_cancelled_ends(server: Appliance, busy: Callable[[str], str]) -> None:
    busy("waited-for")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.send, "waited-for", zipped({"index.html": "x"}))
        while not (queued := server.get("/deployments?project=waited-for&status=queued")["items"]):
            time.sleep(0.005)
        server.ask("POST", f"/deployments/{queued[0]['id']}/cancel")
        said = problem(waiting.result(20), 422)
    assert said["deployment"]["status"] == "cancelled"


def test_lists_are_filtered(server: Appliance) -> None:
    for name in ("filter-a", "filter-b"):
        server.project(name)
        server.deploy(name, {"index.html": name})
    server.ask("POST", "/projects/filter-a/environments", json={"name": "staging"})
    server.deploy("filter-a", {"index.html": "s"}, "staging")
    assert server.send("filter-a", b"no zip").status_code == 422

    def found(query: str) -> list[tuple[str, str, int]]:
        items = server.get(f"/deployments?{query}")["items"]
        return [(one["project"], one["environment"], one["number"]) for one in items]

    assert found("project=filter-a") == [("filter-a", "staging", 2), ("filter-a", "production", 1)]
    assert found("project=filter-a&environment=production") == [("filter-a", "production", 1)]
    assert found("project=filter-b&status=succeeded") == [("filter-b", "production", 1)]
    assert found("project=filter-b&status=failed") == found("project=no-such") == []
    path_of = PLACE.format("filter-a", "staging") + "/deployments"
    assert [one["number"] for one in server.get(f"{path_of}?status=succeeded")["items"]] == [2]
    assert "succeeded" in problem(server.ask("GET", f"{path_of}?status=live"), 422)["errors"]["status"]


def test_newest_first_whoever_came_in_together(server: Appliance) -> None:
    """Numbers and the order of the list tell the same story, also for those that arrived at the same moment."""
    server.project("crowd")
    places = [f"e{number}" for number in range(8)]
    for place in places:
        server.ask("POST", "/projects/crowd/environments", json={"name": place})
    bundle = server.deploy("crowd", {"index.html": "x"})["bundle"]
    start = threading.Barrier(8)

    def send(place: str) -> None:
        start.wait(10)
        with httpx.Client(timeout=30) as http:
            for _ in range(4):
                url = f"{server.url}/api/v1{path('crowd', 'deployments', place, None)}"
                http.post(url, json={"bundle": bundle}, headers={"Authorization": f"Bearer {server.key}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, places))
    numbers = [one["number"] for one in server.get("/deployments?project=crowd&limit=200")["items"]]
    assert numbers == sorted(numbers, reverse=True) == list(range(33, 0, -1))


def test_rollback_says_why_it_can_not(server: Appliance) -> None:
    server.project("no-back")
    problem(server.ask("POST", path("no-back", "rollback"), json={}), 409)
    made = server.deploy("no-back", {"index.html": "1"})
    problem(server.ask("POST", path("no-back", "rollback"), json={}), 409)
    problem(server.ask("POST", path("no-back", "rollback"), json={"to": "no-such"}), 404)
    problem(server.ask("POST", path("no-back", "rollback"), json={"to": 5}), 422, to="text")
    server.project("elsewhere")
    server.deploy("elsewhere", {"index.html": "2"})
    problem(server.ask("POST", path("elsewhere", "rollback"), json={"to": made["id"]}), 409)


def test_promotion_says_why_it_can_not(server: Appliance) -> None:
    server.project("no-up")
    problem(server.ask("POST", path("no-up", "promote"), json={}), 422, **{"from": "Name the environment"})
    problem(server.ask("POST", path("no-up", "promote"), json={"from": "production"}), 409)
    problem(server.ask("POST", path("no-up", "promote"), json={"from": "staging"}), 404)
    server.ask("POST", "/projects/no-up/environments", json={"name": "staging"})
    problem(server.ask("POST", path("no-up", "promote"), json={"from": "staging"}), 409)
