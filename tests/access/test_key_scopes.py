"""What a key may do: what its maker may now, and less where it is kept to less."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from appliance.access.permissions import PERMISSIONS
from appliance.deploy.xray.tokens import tokens_in
from appliance.model.keys import checksum, fresh_text, is_whole
from appliance.model.scopes import PRESETS
from tests.access.cast import signed_in_as
from tests.api.test_contract import problem
from tests.appliance import ROOT, Appliance
from tests.servers import eventually


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("scopes") / "data") as running:
        for project in ("blog", "shop"):
            running.project(project)
            running.ask("POST", f"/projects/{project}/environments", json={"name": "staging"})
        yield running


def made(client: httpx.Client, **scope: Any) -> dict[str, Any]:
    answer = client.post("/keys", json={"name": "a key", **scope})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ask(server: Appliance, key: str, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return server.http.request(method, f"{server.url}/api/v1{path}", headers=headers, **more)


@pytest.fixture
def owner(alone: Appliance) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{alone.url}/api/v1", headers={"Authorization": f"Bearer {alone.token}"}) as client:
        yield client


PLACES = ["blog/production", "blog/staging", "shop/production", "shop/staging"]


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        ({}, PLACES),
        ({"projects": ["blog"]}, ["blog/production", "blog/staging"]),
        ({"environments": ["blog/staging"]}, ["blog/staging"]),
        ({"environments": ["blog/staging", "shop/production"]}, ["blog/staging", "shop/production"]),
        ({"projects": ["shop"], "environments": ["blog/staging"]}, ["blog/staging", "shop/production", "shop/staging"]),
    ],
)
@pytest.mark.parametrize("may", [None, "deploy", "read"])
def test_every_permission_in_every_place(
    alone: Appliance, owner: httpx.Client, scope: dict[str, list[str]], seen: list[str], may: str | None
) -> None:
    held = set(PERMISSIONS) if may is None else set(PRESETS[may])
    key = made(owner, **scope, **({"permissions": sorted(held)} if may else {}))["key"]
    for place in PLACES:
        project, environment = place.split("/")
        at = f"/projects/{project}/environments/{environment}"
        asks: dict[str, tuple[str, str, dict[str, Any] | None]] = {
            "projects.read": ("GET", at, None),
            "urls.read": ("GET", f"{at}/urls", None),
            "deployments.read": ("GET", f"{at}/deployments", None),
            "environments.update": ("PATCH", f"{at}/guard", {}),
            "environments.freeze": ("DELETE", f"{at}/freeze", None),
            "deployments.create": ("POST", f"{at}/deployments", {"files": {}}),
            "deployments.rollback": ("POST", f"{at}/rollback", {}),
            "urls.create": ("POST", f"{at}/urls", {"host": "not a host"}),
        }
        for permission, (method, path, body) in asks.items():
            answer = ask(alone, key, path, method, **({} if body is None else {"json": body}))
            if place not in seen:
                assert answer.status_code == 404, (place, permission)
            elif permission in held:
                assert answer.status_code not in (401, 403, 404), (place, permission, answer.text)
            else:
                assert answer.status_code == 403, (place, permission)
    listed = ask(alone, key, "/projects").json()["items"]
    assert {one["name"] for one in listed} == {place.split("/")[0] for place in seen}


@pytest.mark.parametrize("path", ["/settings", "/keys", "/people", "/backups", "/checks"])
def test_a_key_that_is_kept_to_places_may_do_nothing_to_the_appliance(
    alone: Appliance, owner: httpx.Client, path: str
) -> None:
    key = made(owner, projects=["blog"])["key"]
    assert ask(alone, key, path).status_code == 403
    assert ask(alone, key, "/projects", "POST", json={"name": "more"}).status_code == 403
    assert ask(alone, key, "/keys", "POST", json={"name": "wider"}).status_code == 403


def test_it_is_never_worth_more_than_its_maker_is_now(alone: Appliance) -> None:
    with signed_in_as(alone, "admin", "falls@example.com") as person:
        key = made(person, permissions=["settings.read", "projects.read"])["key"]
        person_id = person.get("/me").json()["id"]
        assert ask(alone, key, "/settings").status_code == 200
        _set(alone, "UPDATE people SET role = 'viewer' WHERE id = ?", person_id)
        eventually(lambda: ask(alone, key, "/settings").status_code == 403)
        assert ask(alone, key, "/projects").status_code == 200
        _set(alone, "DELETE FROM people WHERE id = ?", person_id)
        eventually(lambda: ask(alone, key, "/projects").status_code == 401)


def test_a_scope_means_the_same_after_a_new_name_and_nothing_when_all_is_gone(
    alone: Appliance, owner: httpx.Client
) -> None:
    alone.project("gone")
    key = made(owner, environments=["gone/production"])
    alone.ask("PATCH", "/projects/gone", json={"name": "renamed"})
    assert ask(alone, key["key"], "/projects/renamed/environments/production").status_code == 200
    alone.project("gone")
    assert ask(alone, key["key"], "/projects/gone/environments/production").status_code == 404
    assert _listed(owner, key["id"])["environments"] == ["renamed/production"]
    alone.ask("DELETE", "/projects/renamed")
    assert ask(alone, key["key"], "/projects").json().get("items", []) == []
    assert _listed(owner, key["id"])["environments"] == []


def test_a_key_makes_none_that_is_wider_or_works_for_longer(alone: Appliance, owner: httpx.Client) -> None:
    until = "2090-01-01T00:00:00.000Z"
    parent = made(owner, permissions=["keys.own", "projects.read"], expires_at=until)["key"]
    wider = ask(alone, parent, "/keys", "POST", json={"name": "x", "permissions": ["settings.update"]})
    assert problem(wider, 403)["detail"].endswith("“settings.update”.")
    longer = ask(alone, parent, "/keys", "POST", json={"name": "x", "expires_at": "2091-01-01T00:00:00Z"})
    assert "expires_at" in problem(longer, 422)["errors"]
    child = ask(alone, parent, "/keys", "POST", json={"name": "x"}).json()
    assert (child["permissions"], child["expires_at"]) == (["keys.own", "projects.read"], until)
    assert ask(alone, child["key"], "/settings").status_code == 403


def test_places_that_may_not_be_seen_are_told_of_as_those_that_are_not_there(alone: Appliance) -> None:
    with signed_in_as(alone, "none", "outside@example.com") as person:
        for scope in ({"projects": ["blog"]}, {"environments": ["blog/staging"]}):
            there = person.post("/keys", json={"name": "x", **scope})
            name = next(iter(scope.values()))[0]
            missing = person.post("/keys", json={"name": "x", **{key: [name.replace("blog", "none")] for key in scope}})
            assert there.status_code == missing.status_code == 422
            assert there.json()["errors"] == {
                field: text.replace("none", "blog") for field, text in missing.json()["errors"].items()
            }


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        ({"projects": []}, "projects"),
        ({"environments": ["blog"]}, "environments"),
        ({"permissions": ["everything"]}, "permissions"),
        ({"projects": ["../x"]}, "projects"),
        ({"projects": "blog", "permissions": [1]}, "permissions"),
    ],
)
def test_a_scope_that_means_nothing_is_refused(owner: httpx.Client, scope: dict[str, Any], field: str) -> None:
    assert field in problem(owner.post("/keys", json={"name": "x", **scope}), 422)["errors"]


def test_who_looks_after_the_appliance_sees_and_revokes_keys_of_others(alone: Appliance, owner: httpx.Client) -> None:
    with signed_in_as(alone, "developer", "dev@example.com") as person, signed_in_as(alone, "admin") as admin:
        key = made(person, projects=["blog"])
        theirs = "/people/dev@example.com/keys"
        (shown,) = owner.get(theirs).json()["items"]
        assert shown["projects"] == ["blog"] and "key" not in shown
        assert person.get("/people/owner@example.com/keys").status_code == 403
        owners = owner.get("/keys").json()["items"][0]["id"]
        assert admin.delete(f"/people/owner@example.com/keys/{owners}").status_code == 403
        assert admin.delete(f"{theirs}/{owners}").status_code == 404
        assert admin.delete(f"{theirs}/{key['id']}").status_code == 204
        assert ask(alone, key["key"], "/me").status_code == 401


def test_a_key_that_was_cut_or_mistyped_is_told_from_an_unknown_one(alone: Appliance) -> None:
    text = fresh_text()
    assert is_whole(text) and not is_whole(text[:-1]) and not is_whole(text[:-1] + "!")
    for wrong in (text[:-1], text + "x", text[:10] + ("a" if text[10] != "a" else "b") + text[11:]):
        assert "This is not a whole key" in problem(ask(alone, wrong, "/me"), 401)["detail"]
    assert "whole" not in problem(ask(alone, text, "/me"), 401)["detail"]
    assert server_health(alone, text[:-1]) == 200


def server_health(server: Appliance, key: str) -> int:
    return server.http.get(f"{server.url}/healthz", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_of_before_checksums_still_works(alone: Appliance) -> None:
    old = "hp_" + "aB3-_" * 8
    person = ask(alone, alone.key, "/me").json()["id"]
    row = ["older", person, "older", old[:8], hashlib.sha256(old.encode()).hexdigest(), "2027-01-31T00:00:00.000Z"]
    _set(alone, "INSERT INTO keys (id, person_id, name, prefix, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)", *row)
    eventually(lambda: ask(alone, old, "/me").status_code == 200)


def test_scanners_find_a_key_by_what_the_docs_say() -> None:
    (pattern,) = re.findall(r"`(hp_\[.+?)`", (ROOT / "docs" / "keys.md").read_text())
    text = fresh_text()
    assert re.fullmatch(pattern, text)
    assert [one.kind for one in tokens_in(f"key = '{text}'".encode())] == ["Homeport key"]
    other = text[:-6] + ("000000" if checksum(text[:-6]) != "000000" else "111111")
    assert tokens_in(f"key = '{other}'".encode()) == ()


def test_presets_are_of_permissions_that_there_are() -> None:
    for held in PRESETS.values():
        assert set(held) <= PERMISSIONS.keys()


def _listed(client: httpx.Client, key_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in client.get("/keys").json()["items"] if one["id"] == key_id)
    return found


def _set(server: Appliance, sql: str, *values: str) -> None:
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(sql, values)
    db.close()
