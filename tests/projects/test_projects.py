"""Projects: created, renamed, deleted, and what follows from that outside."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.test_contract import problem
from tests.api.test_deployments import slow_zip
from tests.appliance import Appliance, zipped
from tests.servers import eventually


def until_free(server: Appliance, name: str) -> None:
    """A name that was given up is free again in a moment."""
    eventually(lambda: not (server.data / "sites" / name).exists())


def test_a_renamed_project_answers_at_its_new_address_and_its_urls_go_on(server: Appliance) -> None:
    server.project("old-name")
    made = server.deploy("old-name", {"index.html": "it"})
    urls = "/projects/old-name/environments/production/urls?wait=20"
    assert server.ask("POST", urls, json={"host": "kept.example.com"}).json()["status"] == "active"
    stop, wrong = threading.Event(), []

    def visit() -> None:
        with httpx.Client() as http:
            while not stop.is_set():
                answer = http.get(f"{server.url}/", headers={"Host": "kept.example.com"})
                if (answer.status_code, answer.text) != (200, "it"):
                    wrong.append(answer.status_code)

    visitor = threading.Thread(target=visit)
    visitor.start()
    renamed = server.ask("PATCH", "/projects/old-name", json={"name": "new-name"}).json()
    until_free(server, "old-name")
    stop.set()
    visitor.join(10)
    assert wrong == []
    assert renamed["address"] == f"http://kept.example.com:{server.port}/"
    assert (server.visit("new-name").text, server.visit("old-name").status_code) == ("it", 404)
    assert server.get(f"/deployments/{made['id']}")["project"] == "new-name"
    assert server.get("/urls?q=kept")["items"][0]["project"] == "new-name"
    assert server.get("/activity?project=new-name")["items"][0]["verb"] == "project.rename"
    assert server.deploy("new-name", {"index.html": "again"})["number"] == 2
    server.project("old-name")
    assert server.visit("old-name").status_code == 404


def test_renaming_says_why_it_can_not(server: Appliance) -> None:
    for name in ("rename-a", "rename-b"):
        server.project(name)
    assert problem(server.ask("PATCH", "/projects/rename-a", json={"name": "rename-b"}), 409)["todo"]
    assert server.ask("PATCH", "/projects/rename-a", json={"name": "rename-a"}).status_code == 200
    problem(server.ask("PATCH", "/projects/rename-a", json={}), 422, name="Enter a name")
    problem(server.ask("PATCH", "/projects/rename-a", json={"name": "Rename"}), 422, name="small letters")
    problem(server.ask("PATCH", "/projects/no-such", json={"name": "x"}), 404)


def running(server: Appliance, name: str) -> str:
    started: str = server.send(name, slow_zip(name), wait=None).json()["id"]
    while server.get(f"/deployments/{started}")["status"] == "queued":
        time.sleep(0.005)
    return started


def test_while_something_runs_a_project_stays_as_it_is(server: Appliance) -> None:
    server.project("busy")
    server.ask("POST", "/projects/busy/environments", json={"name": "dev"})
    server.deploy("busy", {"index.html": "dev"}, "dev")
    deployment = running(server, "busy")
    for answer in (
        server.ask("DELETE", "/projects/busy"),
        server.ask("DELETE", "/projects/busy/environments/production"),
        server.ask("PATCH", "/projects/busy", json={"name": "busy-no-more"}),
        server.ask("PATCH", "/projects/busy/environments/production", json={"name": "other"}),
    ):
        said = problem(answer, 409)
        assert said["type"] == "urn:homeport:busy" and "#2" in said["detail"] and said["todo"]
    assert server.visit("busy-no-more").status_code == 404, "a refusal leaves nothing under the new name"
    assert server.visit("dev.busy-no-more").status_code == 404
    server.project("busy-no-more")
    server.ask("POST", f"/deployments/{deployment}/cancel")
    server.ask("GET", f"/deployments/{deployment}/log?follow=1")
    assert server.visit("dev.busy").text == "dev"
    assert server.ask("DELETE", "/projects/busy").status_code == 204


def test_what_deleting_frees_is_said_before_and_is_what_it_frees(server: Appliance) -> None:
    server.project("doomed")
    server.ask("POST", "/projects/doomed/environments", json={"name": "staging"})
    first = server.deploy("doomed", {"index.html": "1"})
    second = server.deploy("doomed", {"index.html": "2"}, "staging")
    urls = "/projects/doomed/environments/production/urls?wait=20"
    server.ask("POST", urls, json={"host": "doomed.example.com"})
    assert server.get("/projects/doomed/frees") == {
        "environments": ["production", "staging"],
        "stops_answering": [
            "doomed.example.com",
            f"http://doomed.localhost:{server.port}/",
            f"http://staging.doomed.localhost:{server.port}/",
        ],
        "deployments": 2,
        "bundles_kept": 2,
    }
    assert server.visit("doomed.example.com.").text == "1"
    assert server.ask("DELETE", "/projects/doomed").status_code == 204
    for host in ("doomed", "staging.doomed"):
        assert server.visit(host).status_code == 404
    assert "1" != server.visit("doomed.example.com.").text
    for deployment in (first, second):
        problem(server.ask("GET", f"/deployments/{deployment['id']}"), 404)
        assert server.ask("GET", f"/bundles/{deployment['bundle']}/download").status_code == 200
    assert server.get("/urls?q=doomed")["items"] == []
    problem(server.ask("GET", "/projects/doomed/frees"), 404)


def test_a_deleted_name_can_be_taken_at_once_and_is_empty(server: Appliance) -> None:
    for number in range(3):
        server.project("phoenix")
        assert server.visit("phoenix").status_code == 404
        assert server.deploy("phoenix", {"index.html": str(number)})["number"] == 1
        assert server.visit("phoenix").text == str(number)
        assert server.ask("DELETE", "/projects/phoenix").status_code == 204


def test_what_waits_in_a_deleted_project_never_runs(server: Appliance) -> None:
    server.project("waiting")
    deployment = running(server, "waiting")
    queued = server.send("waiting", zipped({"index.html": "never"}), wait=None).json()["id"]
    server.ask("POST", f"/deployments/{deployment}/cancel")
    server.ask("GET", f"/deployments/{deployment}/log?follow=1")
    eventually(lambda: server.ask("DELETE", "/projects/waiting").status_code == 204)
    problem(server.ask("GET", f"/deployments/{queued}"), 404)
    assert server.visit("waiting").status_code == 404
    assert not (server.data / "sites" / "waiting").exists()


def test_twenty_at_once_make_one_project(server: Appliance) -> None:
    def create(_: int) -> int:
        with httpx.Client(timeout=30) as http:
            bearer = {"Authorization": f"Bearer {server.key}"}
            return http.post(f"{server.url}/api/v1/projects", json={"name": "wanted"}, headers=bearer).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(create, range(20)))
    assert statuses == [201] + [409] * 19


def test_a_place_that_a_crash_left_is_free_after_a_start(fresh: Appliance) -> None:
    """The process died between the record and the disk."""
    fresh.project("real")
    fresh.deploy("real", {"index.html": "real"})
    fresh.kill()
    ghost = fresh.data / "sites" / "ghost"
    ghost.mkdir()
    (ghost / "production").symlink_to((fresh.data / "sites" / "real" / "production").readlink())
    (fresh.data / "sites" / "real" / "gone").symlink_to("../../releases/none")
    fresh.start()
    assert fresh.visit("ghost").status_code == 404
    fresh.project("ghost")
    assert fresh.visit("ghost").status_code == 404
    assert fresh.visit("real").text == "real"
    assert fresh.ask("POST", "/projects/real/environments", json={"name": "gone"}).status_code == 201


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("name", ["%2e%2e", "..%2f..", "a%00b", "%ff", "x" * 500, "a'--"])
def test_a_strange_name_is_not_found(server: Appliance, method: str, name: str) -> None:
    url = httpx.URL(server.url, raw_path=f"/api/v1/projects/{name}".encode())
    bearer = {"Authorization": f"Bearer {server.key}"}
    answer = server.http.request(method, url, json={"name": "fine"} if method == "PATCH" else None, headers=bearer)
    problem(answer, 404)
