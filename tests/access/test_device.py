"""Signing in at a terminal by a yes in the browser: the code is single use, short-lived and not to be guessed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.access import device, keys, setup
from appliance.access.actor import OPERATOR, Actor
from appliance.context import Context
from appliance.errors import BadRequest, Forbidden, HomeportError, NotFound, TooMany
from appliance.machine import clock
from appliance.model.device import NewDevice
from appliance.model.keys import NewKey
from appliance.model.people import NewPerson
from appliance.store import people
from tests import inside
from tests.api.test_contract import problem
from tests.appliance import Appliance

NEW = NewKey("laptop")


@pytest.fixture
def person(tmp_path: Path) -> Iterator[tuple[Context, Actor]]:
    with inside.context(tmp_path / "data") as ctx:
        made = setup.add_person(ctx, OPERATOR, NewPerson("a@example.com", "a long password"))
        yield ctx, Actor("person", made.email, made.role, made.id, session="s", door="browser")


def begun(ctx: Context) -> device.Begun:
    return device.begin(ctx, NewDevice.parse({"device": "laptop", "account": "ada"}), ip="192.0.2.1")


def why_not(ctx: Context, token: str) -> str:
    with pytest.raises(BadRequest) as why:
        device.fetch(ctx, token, ip=None)
    return why.value.code


def later(ctx: Context, seconds: float) -> None:
    now = ctx.now() + timedelta(seconds=seconds)
    ctx.now = lambda: now


def test_a_yes_gives_the_key_once_and_to_the_asking_terminal_alone(person: tuple[Context, Actor]) -> None:
    ctx, actor = person
    login = begun(ctx)
    assert why_not(ctx, login.device_code) == "authorization_pending"
    device.allow(ctx, actor, login.user_code.lower().replace("-", " "), NEW)
    assert why_not(ctx, login.user_code) == "expired_token", "the code that is shown fetches nothing"
    fresh = device.fetch(ctx, login.device_code, ip="192.0.2.1")
    assert keys.actor_of(ctx, fresh.text, ip=None).person_id == actor.person_id
    assert why_not(ctx, login.device_code) == "expired_token"
    with pytest.raises(NotFound):
        device.allow(ctx, actor, login.user_code, NEW)


def test_whoever_asks_too_often_is_told_to_wait_longer(person: tuple[Context, Actor]) -> None:
    ctx, _ = person
    login = begun(ctx)
    later(ctx, 0)
    assert why_not(ctx, login.device_code) == "authorization_pending"
    assert why_not(ctx, login.device_code) == "slow_down"
    later(ctx, device.WAIT)
    assert why_not(ctx, login.device_code) == "slow_down", "it has to wait longer now"
    later(ctx, 60)
    assert why_not(ctx, login.device_code) == "authorization_pending"


def test_a_no_and_the_end_of_its_time(person: tuple[Context, Actor]) -> None:
    ctx, actor = person
    denied, late = begun(ctx), begun(ctx)
    device.deny(ctx, actor, denied.user_code)
    assert why_not(ctx, denied.device_code) == "access_denied"
    ctx.now = lambda: clock.now() + device.LASTS
    assert why_not(ctx, late.device_code) == "expired_token"
    with pytest.raises(NotFound):
        device.allow(ctx, actor, late.user_code, NEW)


def test_a_yes_that_nobody_fetched_in_time_is_worth_nothing(person: tuple[Context, Actor]) -> None:
    ctx, actor = person
    login = begun(ctx)
    device.allow(ctx, actor, login.user_code, NEW)
    ctx.now = lambda: clock.now() + device.LASTS
    assert why_not(ctx, login.device_code) == "expired_token"


def test_guessing_codes_gets_slow(person: tuple[Context, Actor]) -> None:
    ctx, actor = person
    login = begun(ctx)
    later(ctx, 0)
    errors: list[HomeportError] = []
    for _ in range(8):
        with pytest.raises((NotFound, TooMany)) as why:
            device.waiting(ctx, actor, "BBBB-BBBB")
        errors.append(why.value)
    assert isinstance(errors[-1], TooMany)
    with pytest.raises(TooMany):
        device.waiting(ctx, actor, login.user_code)


def test_a_key_can_not_say_yes(person: tuple[Context, Actor]) -> None:
    """Whoever finds a key could make themselves a second one that outlives it."""
    ctx, actor = person
    login = begun(ctx)
    fresh = keys.create_key(ctx, actor, NEW)
    with pytest.raises(Forbidden):
        device.allow(ctx, keys.actor_of(ctx, fresh.text, ip=None), login.user_code, NEW)
    assert why_not(ctx, login.device_code) == "authorization_pending"


def test_a_person_who_is_gone_by_then_gets_no_key(person: tuple[Context, Actor]) -> None:
    ctx, actor = person
    login = begun(ctx)
    device.allow(ctx, actor, login.user_code, NEW)
    with ctx.write() as db:
        people.remove(db, actor.person_id)
    assert why_not(ctx, login.device_code) == "expired_token"


def test_the_scope_of_the_answer_is_that_of_the_key(person: tuple[Context, Actor]) -> None:
    ctx, actor = person
    inside.project(ctx, "blog")
    login = begun(ctx)
    device.allow(ctx, actor, login.user_code, NewKey("x", None, ["blog"], None, ["projects.read"]))
    held = keys.actor_of(ctx, device.fetch(ctx, login.device_code, ip=None).text, ip=None).powers
    assert held is not None and held.everywhere == frozenset()
    assert list(held.projects.values()) == [frozenset({"projects.read"})]


def test_no_more_than_so_many_wait(person: tuple[Context, Actor], monkeypatch: pytest.MonkeyPatch) -> None:
    ctx, _ = person
    monkeypatch.setattr(device, "MOST", 2)
    begun(ctx), begun(ctx)
    with pytest.raises(TooMany):
        begun(ctx)


def test_over_the_api(server: Appliance) -> None:
    def post(path: str, **said: Any) -> httpx.Response:
        return server.http.post(f"{server.url}/api/v1{path}", json=said)

    answer = post("/device", device="a\u202e machine\x1b[2J").json()
    assert answer["interval"] == 5 and answer["expires_in"] == 600 and len(answer["user_code"]) == 9
    assert answer["verification_uri_complete"] == f"{answer['verification_uri']}?code={answer['user_code']}"
    waits = problem(post("/device/token", device_code=answer["device_code"]), 400)
    assert waits["type"] == "urn:homeport:authorization_pending"
    assert problem(post("/device/token", device_code="x"), 400)["type"] == "urn:homeport:expired_token"
    assert "device" in problem(post("/device"), 422)["errors"]
    page = server.http.get(
        f"{server.url}/device",
        params={"code": answer["user_code"]},
        headers={"Authorization": f"Bearer {server.token}"},
    )
    assert page.status_code == 200 and "127.0.0.1" in page.text
    assert "\u202e" not in page.text and "\x1b" not in page.text
