"""Environments of a project."""

import pytest

from tests.api.test_contract import problem
from tests.appliance import Appliance


def path(project: str, environment: str = "") -> str:
    return f"/projects/{project}/environments" + (f"/{environment}" if environment else "")


def test_each_serves_its_own(server: Appliance) -> None:
    server.project("several")
    for name in ("staging", "dev", "pr-12"):
        assert server.ask("POST", path("several"), json={"name": name}).status_code == 201
        server.deploy("several", {"index.html": name}, name)
    assert [one["name"] for one in server.get(path("several"))["items"]] == ["production", "staging", "dev", "pr-12"]
    assert server.get("/projects/several")["environments"] == ["production", "staging", "dev", "pr-12"]
    assert [server.visit(f"{name}.several").text for name in ("staging", "dev", "pr-12")] == ["staging", "dev", "pr-12"]
    assert server.visit("several").status_code == 404


def test_renaming_moves_its_address_and_keeps_its_history(server: Appliance) -> None:
    server.project("moves")
    server.ask("POST", path("moves"), json={"name": "staging"})
    server.deploy("moves", {"index.html": "1"}, "staging")
    made = server.deploy("moves", {"index.html": "2"}, "staging")
    server.ask("POST", path("moves", "staging/urls?wait=20"), json={"host": "moves.example.com"})
    changed = server.ask("PATCH", path("moves", "staging"), json={"name": "preview"}).json()
    assert (changed["name"], changed["live"]["id"]) == ("preview", made["id"])
    assert server.visit("preview.moves").text == server.visit("moves.example.com.").text == "2"
    assert server.visit("staging.moves").status_code == 404
    assert server.get(f"/deployments/{made['id']}")["environment"] == "preview"
    back = server.ask("POST", path("moves", "preview/rollback?wait=30"), json={})
    assert back.status_code == 201 and server.visit("preview.moves").text == "1"
    assert server.ask("POST", path("moves"), json={"name": "staging"}).status_code in {201, 409}


def test_changing_says_why_it_can_not(server: Appliance) -> None:
    server.project("stays")
    server.ask("POST", path("stays"), json={"name": "dev"})
    problem(server.ask("PATCH", path("stays", "dev"), json={"name": "production"}), 409)
    problem(server.ask("PATCH", path("stays", "dev"), json={"backend": "mainframe"}), 422, backend="builtin, nginx")
    both = problem(server.ask("PATCH", path("stays", "dev"), json={"backend": "x", "name": "X", "live": "x"}), 422)
    assert both["errors"].keys() == {"backend", "name", "live"}
    problem(server.ask("PATCH", path("stays", "no-such"), json={"name": "x"}), 404)
    unchanged = server.ask("PATCH", path("stays", "dev"), json={})
    assert unchanged.status_code == 200 and unchanged.json()["name"] == "dev"


def test_the_backend_can_change_while_there_are_no_urls(server: Appliance) -> None:
    server.project("backs")
    server.deploy("backs", {"index.html": "x"})
    changed = server.ask("PATCH", path("backs", "production"), json={"backend": "nginx"})
    assert changed.status_code == 200 and changed.json()["backend"] == "nginx"
    assert server.visit("backs").text == "x", "Homeport itself shows it under its own name"
    assert server.ask("PATCH", path("backs", "production"), json={"backend": "builtin"}).status_code == 200
    server.ask("POST", path("backs", "production/urls?wait=20"), json={"host": "backs.example.com"})
    said = problem(server.ask("PATCH", path("backs", "production"), json={"backend": "nginx"}), 409)
    assert said["type"] == "urn:homeport:has_urls" and said["todo"]
    assert server.get(path("backs", "production"))["backend"] == "builtin"


def test_a_change_of_both_is_all_or_nothing(server: Appliance) -> None:
    server.project("atomic")
    server.ask("POST", path("atomic"), json={"name": "dev"})
    problem(server.ask("PATCH", path("atomic", "dev"), json={"backend": "nginx", "name": "production"}), 409)
    assert server.get(path("atomic", "dev"))["backend"] == "builtin"


def test_deleting_one_leaves_the_others(server: Appliance) -> None:
    server.project("part")
    server.ask("POST", path("part"), json={"name": "dev"})
    server.deploy("part", {"index.html": "prod"})
    gone = server.deploy("part", {"index.html": "dev"}, "dev")
    server.ask("POST", path("part", "dev/urls?wait=20"), json={"host": "part.example.com"})
    assert server.ask("DELETE", path("part", "dev")).status_code == 204
    assert server.visit("dev.part").status_code == 404
    assert server.visit("part.example.com.").text != "dev"
    assert server.visit("part").text == "prod"
    problem(server.ask("GET", f"/deployments/{gone['id']}"), 404)
    problem(server.ask("DELETE", path("part", "dev")), 404)
    assert server.ask("POST", path("part"), json={"name": "dev"}).status_code == 201
    assert server.visit("dev.part").status_code == 404


def test_production_can_go_too(server: Appliance) -> None:
    server.project("headless")
    server.ask("POST", path("headless"), json={"name": "dev"})
    assert server.ask("DELETE", path("headless", "production")).status_code == 204
    project = server.get("/projects/headless")
    assert project["environments"] == ["dev"]
    assert server.ask("DELETE", path("headless", "dev")).status_code == 204
    project = server.get("/projects/headless")
    assert (project["environments"], project["address"]) == ([], "")
    assert server.get("/projects?q=headless")["items"] == [project]


def test_promotion_goes_across_and_says_where_it_came_from(server: Appliance) -> None:
    server.project("across")
    for name in ("staging", "dev"):
        server.ask("POST", path("across"), json={"name": name})
    made = server.deploy("across", {"index.html": "1"}, "dev")
    up = server.ask("POST", path("across", "staging/promote?wait=30"), json={"from": "dev"}).json()
    assert (up["source"], up["origin"], up["bundle"]) == ("promotion", made["id"], made["bundle"])
    server.deploy("across", {"index.html": "2"}, "dev")
    server.ask("POST", path("across", "production/promote?wait=30"), json={"from": "staging"})
    assert (server.visit("across").text, server.visit("dev.across").text) == ("1", "2")


@pytest.mark.parametrize("name", ["production", "dev"])
def test_a_name_is_taken_once(server: Appliance, name: str) -> None:
    project = server.project(f"once-{name}")
    server.ask("POST", path(project), json={"name": "dev"})
    said = problem(server.ask("POST", path(project), json={"name": name}), 409)
    assert said["type"] == "urn:homeport:name_taken"
