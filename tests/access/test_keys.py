"""Keys: shown once, stored hashed, over when they are over."""

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.access import keys, setup
from appliance.access.actor import OPERATOR, Actor
from appliance.context import Context
from appliance.errors import NotFound
from appliance.machine import clock
from appliance.model.keys import NewKey
from appliance.model.people import NewPerson
from tests import inside
from tests.api.test_contract import problem
from tests.appliance import Appliance


def on_disk(server: Appliance) -> bytes:
    """Everything that the data folder holds, but the secret."""
    return b"".join(one.read_bytes() for one in server.data.rglob("*") if one.is_file() and one.name != "secret.key")


def status_with(server: Appliance, key: str) -> int:
    answer = server.http.get(f"{server.url}/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_text_of_a_key_is_shown_once_and_kept_nowhere(server: Appliance) -> None:
    made = server.ask("POST", "/keys", json={"name": "secretive"}).json()
    key = made["key"]
    assert status_with(server, key) == 200
    assert len(key) > 40 and key.startswith(made["prefix"]) and len(made["prefix"]) <= 8
    assert key not in str(server.get("/keys")) + str(server.get("/activity?q=secretive"))
    page = server.http.get(f"{server.url}/settings/keys", headers={"Authorization": f"Bearer {server.key}"})
    assert page.status_code == 200 and "secretive" in page.text and key not in page.text
    kept = on_disk(server)
    assert key.encode() not in kept and key[3:].encode() not in kept
    assert hashlib.sha256(key.encode()).hexdigest().encode() in kept


def test_a_revoked_key_is_worth_nothing_at_once(server: Appliance) -> None:
    made = server.ask("POST", "/keys", json={"name": "short-lived"}).json()
    assert status_with(server, made["key"]) == 200
    assert server.ask("DELETE", f"/keys/{made['id']}").status_code == 204
    assert status_with(server, made["key"]) == 401


def test_a_key_may_revoke_itself(server: Appliance) -> None:
    made = server.ask("POST", "/keys", json={"name": "suicidal"}).json()
    bearer = {"Authorization": f"Bearer {made['key']}"}
    answer = server.http.delete(f"{server.url}/api/v1/keys/{made['id']}", headers=bearer)
    assert answer.status_code == 204
    assert status_with(server, made["key"]) == 401


@pytest.mark.parametrize("text", ["hp_", "hp_x", "hp_" + "A" * 40, "HP_x", "hp_\xff", "hp_" + "x" * 5000])
def test_what_is_no_key_is_401(server: Appliance, text: str) -> None:
    headers = [(b"Authorization", f"Bearer {text}".encode("latin-1"))]
    answer = server.http.get(f"{server.url}/api/v1/me", headers=headers)
    assert problem(answer, 401)["type"] == "urn:homeport:not_signed_in"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_may_be_written_as_one_likes(server: Appliance, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {server.key}"}
    assert server.http.get(f"{server.url}/api/v1/me", headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["Basic {0}", "Token {0}", "{0}", "Bearer"])
def test_other_schemes_are_nobody(server: Appliance, header: str) -> None:
    answer = server.http.get(f"{server.url}/api/v1/me", headers={"Authorization": header.format(server.key)})
    assert answer.status_code == 401
    assert server.http.get(f"{server.url}/api/v1/me?key={server.key}&token={server.key}").status_code == 401


def test_when_and_from_where_it_was_used(server: Appliance) -> None:
    made = server.ask("POST", "/keys", json={"name": "watched"}).json()

    def shown() -> dict[str, str | None]:
        found: dict[str, str | None] = next(one for one in server.get("/keys")["items"] if one["id"] == made["id"])
        return found

    assert shown()["last_used_at"] is None
    assert status_with(server, made["key"]) == 200
    until(lambda: shown()["last_used_at"] is not None)
    assert shown()["last_used_from"] == "127.0.0.1"


@pytest.fixture
def person(tmp_path: Path) -> object:
    with inside.context(tmp_path / "data") as ctx:
        made = setup.add_person(ctx, OPERATOR, NewPerson("a@example.com", "a long password"))
        yield ctx, Actor("person", made.email, made.role, made.id)


def test_a_key_is_over_when_it_says(person: tuple[Context, Actor]) -> None:
    ctx, actor = person
    until_then = clock.text(clock.now() + timedelta(hours=1))
    key = keys.create_key(ctx, actor, NewKey("brief", until_then)).text
    assert keys.actor_of(ctx, key, ip=None).signed_in
    ctx.now = lambda: clock.now() + timedelta(minutes=59)
    assert keys.actor_of(ctx, key, ip=None).signed_in
    ctx.now = lambda: clock.now() + timedelta(minutes=61)
    assert not keys.actor_of(ctx, key, ip=None).signed_in


def test_a_key_of_someone_else_is_not_there(person: tuple[Context, Actor]) -> None:
    ctx, actor = person
    other = setup.add_person(ctx, OPERATOR, NewPerson("b@example.com", "a long password"))
    theirs = keys.create_key(ctx, Actor("person", other.email, other.role, other.id), NewKey("theirs"))
    with pytest.raises(NotFound):
        keys.revoke_key(ctx, actor, theirs.key.id)
    assert keys.actor_of(ctx, theirs.text, ip=None).signed_in
