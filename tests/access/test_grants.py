"""Teams and grants: what holds for a team holds for who is in it, at once and no longer."""

import secrets
from typing import Any

import httpx
import pytest

from tests.access.cast import add_person, signed_in_as
from tests.appliance import Appliance


def name(letter: str = "g") -> str:
    return f"{letter}{secrets.token_hex(4)}"


def email() -> str:
    return f"{name()}@grants.example.com"


def grant(client: httpx.Client | Appliance, project: str, /, **body: Any) -> httpx.Response:
    path = f"/projects/{project}/grants"
    return client.ask("PUT", path, json=body) if isinstance(client, Appliance) else client.put(path, json=body)


def test_a_grant_counts_at_once_in_its_place_alone(server: Appliance) -> None:
    project, other = server.project(name()), server.project(name())
    server.ask("POST", f"/projects/{project}/environments", json={"name": "staging"})
    with signed_in_as(server, "none", email()) as somebody:
        who = somebody.get("/me").json()["email"]
        assert somebody.get("/projects").status_code == 403
        made = grant(server, project, person=who, role="developer", environment="staging")
        assert made.status_code == 200 and made.json()["environment"] == "staging"
        staging = f"/projects/{project}/environments/staging"
        assert somebody.get(staging).status_code == 200
        assert somebody.post(f"{staging}/freeze", json={"message": "x"}).status_code == 200
        assert somebody.get(f"/projects/{project}/environments/production").status_code == 404
        assert somebody.get(f"/projects/{other}").status_code == 404
        assert server.ask("DELETE", f"/projects/{project}/grants/{made.json()['id']}").status_code == 204
        assert somebody.get(staging).status_code == 404


def test_there_is_one_for_each_place_and_subject(server: Appliance) -> None:
    project, who = server.project(name()), email()
    add_person(server, who, "none")
    first = grant(server, project, person=who, role="viewer").json()
    second = grant(server, project, person=who.upper(), role="admin").json()
    assert grant(server, project, person=who, role="admin").json() == second, "nothing new, nothing done"
    grant(server, project, person=who, role="viewer", environment="production")
    listed = server.get(f"/projects/{project}/grants")["items"]
    assert [(one["environment"], one["role"]) for one in listed] == [(None, "admin"), ("production", "viewer")]
    assert first["id"] != second["id"]
    puts = [one for one in server.get(f"/activity?project={project}")["items"] if one["verb"] == "grant.put"]
    assert [(one["data"]["was"], one["data"]["now"]) for one in puts] == [
        ("", "viewer"),
        ("viewer", "admin"),
        ("", "viewer"),
    ]


def test_a_team_holds_for_its_members(server: Appliance) -> None:
    project, team = server.project(name()), name("t")
    assert server.ask("POST", "/teams", json={"name": team}).status_code == 201
    assert server.ask("POST", "/teams", json={"name": team}).status_code == 409
    assert grant(server, project, team=team, role="developer").status_code == 200
    with signed_in_as(server, "none", email()) as somebody:
        who = somebody.get("/me").json()
        assert somebody.get(f"/projects/{project}").status_code == 404
        added = server.ask("POST", f"/teams/{team}/members", json={"person": who["email"]})
        assert [one["email"] for one in added.json()["members"]] == [who["email"]]
        assert somebody.get(f"/projects/{project}").status_code == 200
        held = somebody.get("/me").json()["grants"]
        assert held == [{"project": project, "environment": None, "role": "developer", "team": team}]
        assert server.ask("PATCH", f"/teams/{team}", json={"name": f"{team}-2"}).json()["name"] == f"{team}-2"
        assert server.ask("DELETE", f"/teams/{team}-2/members/{who['id']}").status_code == 204
        assert somebody.get(f"/projects/{project}").status_code == 404
        server.ask("POST", f"/teams/{team}-2/members", json={"person": who["id"]})
        assert somebody.get(f"/projects/{project}").status_code == 200
        assert server.ask("DELETE", f"/teams/{team}-2").status_code == 204
        assert somebody.get(f"/projects/{project}").status_code == 404


def test_an_admin_of_a_project_grants_in_it_and_nowhere_else(server: Appliance) -> None:
    project, other, who = server.project(name()), server.project(name()), email()
    add_person(server, who, "none")
    foreign = grant(server, other, person=who, role="viewer").json()
    with signed_in_as(server, "none", email()) as admin:
        own = admin.get("/me").json()["email"]
        grant(server, project, person=own, role="admin")
        assert grant(admin, project, person=who, role="admin").status_code == 200
        assert len(admin.get(f"/projects/{project}/grants").json()["items"]) == 2
        assert grant(admin, other, person=own, role="viewer").status_code == 404
        assert admin.get(f"/projects/{other}/grants").status_code == 404
        for place in (project, other):
            assert admin.delete(f"/projects/{place}/grants/{foreign['id']}").status_code == 404
        for path in ("/people", "/teams", "/invitations"):
            assert admin.get(path).status_code == 403
        assert admin.patch(f"/people/{who}", json={"role": "viewer"}).status_code == 403
    assert server.get(f"/projects/{other}/grants")["items"] == [foreign]


@pytest.mark.parametrize("role", ["viewer", "developer"])
def test_whoever_is_no_admin_there_grants_nothing(server: Appliance, role: str) -> None:
    project = server.project(name())
    for everywhere, here in ((role, None), ("none", role)):
        with signed_in_as(server, everywhere, email()) as somebody:
            own = somebody.get("/me").json()["email"]
            if here:
                grant(server, project, person=own, role=here)
            assert grant(somebody, project, person=own, role="viewer").status_code == 403
            assert somebody.get(f"/projects/{project}/grants").status_code == 403


def test_an_admin_of_one_environment_grants_nothing(server: Appliance) -> None:
    """Else they could let others into an environment that somebody else answers for."""
    project = server.project(name())
    with signed_in_as(server, "none", email()) as somebody:
        own = somebody.get("/me").json()["email"]
        grant(server, project, person=own, role="admin", environment="production")
        assert grant(somebody, project, person=own, role="admin").status_code == 403
        assert grant(somebody, project, person=own, role="admin", environment="production").status_code == 403


def test_what_can_not_be_granted(server: Appliance) -> None:
    project, who, team = server.project(name()), email(), name("t")
    add_person(server, who, "none")
    server.ask("POST", "/teams", json={"name": team})
    for body, status in (
        ({"person": who, "role": "owner"}, 422),
        ({"person": who}, 422),
        ({"role": "viewer"}, 422),
        ({"person": who, "team": team, "role": "viewer"}, 422),
        ({"person": "nobody@grants.example.com", "role": "viewer"}, 404),
        ({"team": "nobody", "role": "viewer"}, 404),
        ({"person": who, "role": "viewer", "environment": "missing"}, 404),
        ({"person": who, "role": "viewer", "project": "x"}, 422),
    ):
        assert grant(server, project, **body).status_code == status, body
    assert server.get(f"/projects/{project}/grants")["items"] == []


def test_grants_go_with_what_they_are_about(server: Appliance) -> None:
    project, who = server.project(name()), email()
    add_person(server, who, "none")
    server.ask("POST", f"/projects/{project}/environments", json={"name": "staging"})
    grant(server, project, person=who, role="viewer", environment="staging")
    grant(server, project, person=who, role="viewer")
    assert server.ask("DELETE", f"/projects/{project}/environments/staging").status_code == 204
    assert len(server.get(f"/people/{who}")["grants"]) == 1
    server.ask("DELETE", f"/projects/{project}")
    assert server.get(f"/people/{who}")["grants"] == []
    server.project(project)
    assert server.get(f"/projects/{project}/grants")["items"] == [], "a name taken again begins anew"
