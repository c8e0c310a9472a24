"""People come, change and go: nobody above what they hold, and never without an owner."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.access.permissions import ROLES
from appliance.model.people import ROLES as NAMES
from tests.access.cast import add_person, signed_in_as
from tests.appliance import EMAIL, Appliance, zipped

Come = Callable[..., httpx.Client]
BY_RANK = ("none", "viewer", "developer", "admin", "owner")


@pytest.fixture
def come(server: Appliance) -> Iterator[Come]:
    """Somebody of a role, signed in, under a name of their own."""
    with ExitStack() as stack:
        yield lambda role: stack.enter_context(signed_in_as(server, role, address()))


def address(domain: str = "people.example.com") -> str:
    return f"p{secrets.token_hex(6)}@{domain}"


def me(client: httpx.Client) -> Any:
    answer = client.get("/me")
    assert answer.status_code == 200, answer.text
    return answer.json()


def verbs(server: Appliance, subject: str) -> list[str]:
    return [one["verb"] for one in server.get(f"/activity?q={subject}")["items"] if one["subject"] == subject]


def test_the_roles_that_can_be_given_are_those_that_there_are() -> None:
    assert set(NAMES) == ROLES.keys()


def test_people_are_listed_with_what_they_are(server: Appliance, come: Come) -> None:
    project, team = server.project(f"p{secrets.token_hex(4)}"), f"t{secrets.token_hex(4)}"
    somebody = me(come("viewer"))["email"]
    server.ask("POST", "/teams", json={"name": team})
    server.ask("POST", f"/teams/{team}/members", json={"person": somebody})
    server.ask("PUT", f"/projects/{project}/grants", json={"person": somebody, "role": "admin"})
    (found,) = server.get(f"/people?q={somebody}")["items"]
    assert found["role"] == "viewer" and found["teams"] == [team] and found["last_seen_at"]
    assert [(one["project"], one["environment"], one["role"]) for one in found["grants"]] == [(project, None, "admin")]
    assert server.get(f"/people/{somebody}") == server.get(f"/people/{found['id']}") == found
    assert "password" not in str(found)
    assert server.ask("GET", "/people/unknown").status_code == 404
    emails = [one["email"] for one in server.get("/people?limit=200")["items"]]
    assert emails == sorted(emails) and EMAIL in emails


def test_a_role_is_changed_and_counts_with_the_next_request(server: Appliance, come: Come) -> None:
    somebody = come("viewer")
    email = me(somebody)["email"]
    assert somebody.post("/projects", json={"name": "not-yet"}).status_code == 403
    changed = server.ask("PATCH", f"/people/{email}", json={"role": "developer"})
    assert changed.status_code == 200 and changed.json()["role"] == "developer"
    assert somebody.post("/projects", json={"name": f"p{secrets.token_hex(4)}"}).status_code == 201
    assert server.ask("PATCH", f"/people/{email}", json={"role": "none"}).status_code == 200
    assert somebody.get("/projects").status_code == 403
    update = next(one for one in server.get(f"/activity?q={email}")["items"] if one["verb"] == "person.update")
    assert (update["data"]["was"], update["data"]["now"]) == ("developer", "none")
    assert server.ask("PATCH", f"/people/{email}", json={"role": "king"}).status_code == 422
    assert server.ask("PATCH", f"/people/{email}", json={"role": "owner"}).status_code == 422


@pytest.mark.parametrize("asking", BY_RANK)
def test_nobody_gives_more_than_they_hold(server: Appliance, come: Come, asking: str) -> None:
    """Everybody, asked to make everybody everything: only downwards, and owners by owners alone."""
    client = come(asking)
    wrong = []
    for target in BY_RANK:
        for wanted in BY_RANK:
            email = address()
            add_person(server, email, target)
            done = _give(client, email, wanted).status_code == 200
            level = BY_RANK.index(asking)
            may = asking in ("admin", "owner") and BY_RANK.index(target) <= level and BY_RANK.index(wanted) <= level
            got = server.get(f"/people/{email}")["role"]
            if done != may or got != (wanted if may else target):
                wrong.append(f"{asking} makes {target} {wanted}: {done}, is {got}")
            server.ask("DELETE", f"/people/{email}")
    assert wrong == []


def _give(client: httpx.Client, who: str, role: str) -> httpx.Response:
    if role == "owner":
        return client.put(f"/people/{who}/owner")
    return client.patch(f"/people/{who}", json={"role": role})


@pytest.mark.parametrize("asking", BY_RANK)
def test_nobody_raises_themselves(server: Appliance, come: Come, asking: str) -> None:
    client = come(asking)
    email, own = me(client)["email"], BY_RANK.index(asking)
    for wanted in BY_RANK[own + 1 :]:
        assert _give(client, email, wanted).status_code == 403
        invited = client.post("/invitations", json={"email": address(), "role": wanted})
        assert invited.status_code == 403, "nor somebody who would be them"
    assert server.get(f"/people/{email}")["role"] == asking


def test_whoever_is_above_is_neither_changed_nor_removed(server: Appliance, come: Come) -> None:
    admin, owner = come("admin"), me(come("owner"))
    assert admin.patch(f"/people/{owner['id']}", json={"role": "none"}).status_code == 403
    assert admin.delete(f"/people/{owner['id']}").status_code == 403
    assert server.get(f"/people/{owner['id']}")["role"] == "owner"


def test_removing_ends_sessions_and_keys_in_the_same_moment(server: Appliance, come: Come) -> None:
    somebody = come("developer")
    email = me(somebody)["email"]
    key = {"Authorization": f"Bearer {somebody.post('/keys', json={'name': 'ci'}).json()['key']}"}
    project = f"p{secrets.token_hex(4)}"
    assert somebody.post("/projects", json={"name": project}).status_code == 201
    assert httpx.get(f"{server.url}/api/v1/projects", headers=key).status_code == 200
    assert server.ask("DELETE", f"/people/{email}").status_code == 204
    assert somebody.get("/me").status_code == 401
    assert somebody.post("/projects", json={"name": f"{project}-2"}).status_code == 401
    assert httpx.get(f"{server.url}/api/v1/projects", headers=key).status_code == 401
    assert server.ask("DELETE", f"/people/{email}").status_code == 404
    assert server.get(f"/projects/{project}")["created_by"] == email, "what they did stays under their name"
    assert {"person.remove", "session.begin"} <= set(verbs(server, email))


@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream"])
def test_whoever_is_removed_reads_no_further_in_a_log(server: Appliance, come: Come, accept: str) -> None:
    project = server.project(f"p{secrets.token_hex(4)}")
    server.ask("PUT", f"/projects/{project}/environments/production/approval", json={})
    waits = server.send(project, zipped({"index.html": "x"}), wait=None).json()["id"]
    reader = come("viewer")
    email = me(reader)["email"]
    with reader.stream("GET", f"/deployments/{waits}/log?follow=1", headers={"Accept": accept}, timeout=30) as log:
        lines = log.iter_lines()
        assert next(lines)
        assert server.ask("DELETE", f"/people/{email}").status_code == 204
        assert server.ask("POST", f"/deployments/{waits}/cancel").status_code == 202
        assert not [line for line in lines if "cancel" in line.lower()]


def test_whoever_was_removed_in_the_middle_of_asking_gets_nothing(tmp_path: Path) -> None:
    """Their request was let in before; what it does asks again."""
    from appliance.access.actor import Actor
    from appliance.access.people.change import change_role
    from appliance.errors import Forbidden
    from tests import inside

    with inside.context(tmp_path / "data") as ctx:
        with ctx.db.write() as db:
            db.executemany(
                "INSERT INTO people VALUES (?, ?, '-', ?, '2027-01-31')",
                [("a", "a@x.example", "owner"), ("b", "b@x.example", "owner"), ("c", "c@x.example", "viewer")],
            )
        late = Actor("person", "b@x.example", "owner", "b", "session")
        with ctx.db.write() as db:
            db.execute("UPDATE people SET role = 'admin' WHERE id = 'b'")
        with pytest.raises(Forbidden):
            change_role(ctx, late, "c", "owner")
        with ctx.db.write() as db:
            db.execute("DELETE FROM people WHERE id = 'b'")
        with pytest.raises(Forbidden):
            change_role(ctx, late, "c", "developer")


def test_one_can_leave_from_a_session_and_not_by_a_key(server: Appliance, come: Come) -> None:
    somebody = come("none")
    email = me(somebody)["email"]
    key = {"Authorization": f"Bearer {somebody.post('/keys', json={'name': 'ci'}).json()['key']}"}
    assert httpx.delete(f"{server.url}/api/v1/me", headers=key).status_code == 400
    assert somebody.delete("/me").status_code == 204
    assert somebody.get("/me").status_code == 401
    assert server.ask("GET", f"/people/{email}").status_code == 404


def test_the_last_owner_stays(fresh: Appliance) -> None:
    owner = {"Authorization": f"Bearer {fresh.token}"}
    for answer in (
        fresh.ask("DELETE", f"/people/{EMAIL}"),
        fresh.ask("PATCH", f"/people/{EMAIL}", json={"role": "admin"}),
        fresh.http.delete(f"{fresh.url}/api/v1/me", headers=owner),
    ):
        assert answer.status_code == 409 and "the only owner" in answer.json()["detail"]
    _race(fresh)


def _race(fresh: Appliance) -> None:
    """Fifty owners, each removing, demoting or leaving at once: one of them is left, and only one said no to."""
    emails = [address() for _ in range(49)]
    tokens = [fresh.key]
    for number, email in enumerate(emails):
        key = f"hp_race-{number:04}-{secrets.token_hex(8)}"
        person = add_person(fresh, email, "owner")
        _key(fresh, person, key)
        tokens.append(key)
    ring = [*emails, EMAIL]

    def act(number: int) -> int:
        bearer = {"Authorization": f"Bearer {tokens[number]}"}
        at = f"{fresh.url}/api/v1/people/{ring[number]}"
        if number % 2:
            return httpx.patch(at, headers=bearer, json={"role": "none"}, timeout=60).status_code
        return httpx.delete(at, headers=bearer, timeout=60).status_code

    with ThreadPoolExecutor(25) as pool:
        codes = list(pool.map(act, range(50)))
    assert set(codes) <= {200, 204, 401, 403, 404, 409}, codes
    with sqlite3.connect(fresh.data / "homeport.db", timeout=20) as db:
        (left,) = db.execute("SELECT count(*) FROM people WHERE role = 'owner'").fetchone()
    db.close()
    assert left >= 1


def _key(server: Appliance, person: str, key: str) -> None:
    import hashlib

    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        db.execute(
            "INSERT INTO keys (id, person_id, name, prefix, hash, created_at) VALUES (?, ?, 'race', 'hp_race', ?, ?)",
            [secrets.token_hex(10), person, hashlib.sha256(key.encode()).hexdigest(), "2027-01-31T00:00:00Z"],
        )
    db.close()


def test_fifty_removals_of_the_last_two_leave_one(fresh: Appliance) -> None:
    """Two owners, each removing the other, twenty-five times over."""
    other = address()
    key = f"hp_{secrets.token_hex(16)}"
    _key(fresh, add_person(fresh, other, "owner"), key)
    pairs = [(fresh.key, other), (key, EMAIL)] * 25

    def remove(pair: tuple[str, str]) -> int:
        headers = {"Authorization": f"Bearer {pair[0]}"}
        return httpx.delete(f"{fresh.url}/api/v1/people/{pair[1]}", headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(remove, pairs))
    assert codes.count(204) == 1, codes
    with sqlite3.connect(fresh.data / "homeport.db", timeout=20) as db:
        assert db.execute("SELECT count(*) FROM people WHERE role = 'owner'").fetchone() == (1,)
    db.close()
