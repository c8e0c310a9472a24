"""Guessing gets slower, and where a guess pretends to come from changes nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.access.throttle import FREE, Throttle
from appliance.context import Context
from appliance.errors import TooMany
from appliance.machine import clock
from tests import inside
from tests.api.test_contract import problem
from tests.appliance import EMAIL, PASSWORD, Appliance


def test_sign_in_is_throttled(fresh: Appliance) -> None:
    url, wrong = f"{fresh.url}/api/v1/login", {"email": EMAIL, "password": "wrong password"}

    def guess(number: int) -> int:
        return fresh.http.post(url, json=wrong, headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code

    with ThreadPoolExecutor(12) as pool:  # at once, so that the wait is minutes by the end
        statuses = list(pool.map(guess, range(12)))
    assert set(statuses) <= {401, 429} and statuses.count(401) >= FREE
    for body in (wrong, {"email": EMAIL, "password": PASSWORD}, {"email": "other@example.com", "password": "x"}):
        for spoofed in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"):
            answer = fresh.http.post(url, json=body, headers={spoofed: "192.0.2.99"})
            said = problem(answer, 429)
            assert said["type"] == "urn:homeport:too_many"
            seconds = int(answer.headers["retry-after"])
            assert 1 <= seconds <= 900 and f"{seconds} seconds" in said["detail"]
    page = fresh.http.post(f"{fresh.url}/login", data={"email": EMAIL, "password": PASSWORD})
    assert page.status_code == 429 and "retry-after" in page.headers
    assert fresh.get("/me")["email"] == EMAIL, "a key is not held up by it"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        yield made


class Time:
    def __init__(self, ctx: Context) -> None:
        self.now = clock.now()
        ctx.now = lambda: self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def wait_of(throttle: Throttle, ctx: Context, *subjects: str) -> int:
    try:
        throttle.check(ctx, *subjects)
    except TooMany as why:
        return int(why.headers["Retry-After"])
    return 0


def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(ctx: Context) -> None:
    throttle, time, waits = Throttle(), Time(ctx), []
    for _ in range(20):
        throttle.failed(ctx, "account a")
        waits.append(wait_of(throttle, ctx, "account a"))
        time.pass_by(waits[-1])
    assert waits[: FREE - 1] == [0] * (FREE - 1)
    assert waits[FREE - 1 : FREE + 4] == [1, 2, 4, 8, 16]
    assert waits[-1] == 900
    assert wait_of(throttle, ctx, "account b") == 0


def test_it_is_forgotten_with_time_and_by_success(ctx: Context) -> None:
    throttle, time = Throttle(), Time(ctx)
    for _ in range(10):
        throttle.failed(ctx, "account a", "address 1")
    assert wait_of(throttle, ctx, "account a") and wait_of(throttle, ctx, "address 1")
    throttle.worked(ctx, "account a")
    assert wait_of(throttle, ctx, "account a") == 0 and wait_of(throttle, ctx, "account a", "address 1")
    time.pass_by(2000)
    throttle.failed(ctx, "address 1")
    assert wait_of(throttle, ctx, "address 1") == 0


def test_a_flood_of_names_does_not_fill_the_memory_nor_let_anyone_off(ctx: Context) -> None:
    throttle = Throttle(keep=200)
    Time(ctx)
    for _ in range(12):
        throttle.failed(ctx, "account owner")
    for number in range(1000):
        throttle.failed(ctx, f"account {number}")
    assert wait_of(throttle, ctx, "account owner") > 0
    (kept,) = ctx.db.read().execute("SELECT count(*) FROM failures").fetchone()
    assert kept <= 201


def test_what_was_typed_is_not_kept(ctx: Context) -> None:
    """People type passwords where an address belongs."""
    Throttle().failed(ctx, "account my secret password")
    assert all("secret" not in row["subject"] for row in ctx.db.read().execute("SELECT subject FROM failures"))


def test_one_network_of_addresses_is_one_guesser(ctx: Context) -> None:
    throttle = Throttle()
    Time(ctx)
    for number in range(12):
        throttle.failed(ctx, f"address 2001:db8:1:2::{number:x}")
    assert wait_of(throttle, ctx, "address 2001:db8:1:2:ffff::1") > 0
    assert wait_of(throttle, ctx, "address 2001:db8:1:3::1") == 0


def test_a_restart_lets_nobody_off(fresh: Appliance) -> None:
    url, wrong = f"{fresh.url}/api/v1/login", {"email": EMAIL, "password": "wrong password"}
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: fresh.http.post(url, json=wrong), range(12)))
    problem(fresh.http.post(url, json=wrong), 429)
    fresh.stop()
    fresh.start()
    right = {"email": EMAIL, "password": PASSWORD}
    assert "retry-after" in fresh.http.post(f"{fresh.url}/api/v1/login", json=right).headers
