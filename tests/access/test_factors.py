"""Second factors and confirming: what somebody notices who has them, and who would get around them."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from appliance.access import second_step, sessions, setup, totp
from appliance.access.actor import OPERATOR, Actor
from appliance.context import Context
from appliance.errors import Conflict, HalfWay, NotSignedIn, TooMany
from appliance.machine import clock
from appliance.machine.webauthn import Party
from appliance.model.factors import SecondStep
from appliance.model.people import Credentials, NewPerson, SetUp
from tests import inside
from tests.access.cast import PASSWORD as THEIRS
from tests.access.cast import add_person, age
from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.servers import eventually

PARTY = Party("localhost", "http://localhost")
RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890"


class Person:
    """Somebody with a session token of their own."""

    def __init__(self, server: Appliance, email: str, role: str = "developer") -> None:
        self.server, self.email = server, email
        add_person(server, email, role)
        self.token = self.login().json()["token"]
        self.app: pyotp.TOTP | None = None
        self.codes: list[str] = []

    def login(self, password: str = THEIRS) -> httpx.Response:
        body = {"email": self.email, "password": password}
        return self.server.http.post(f"{self.server.url}/api/v1/login", json=body)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.server.http.request(method, f"{self.server.url}/api/v1{path}", headers=headers, **more)

    def second(self, **body: Any) -> httpx.Response:
        return self.server.http.post(f"{self.server.url}/api/v1/login/second", json=body)

    def with_app(self) -> "Person":
        secret = self.ask("POST", "/me/totp", json={}).json()["secret"]
        self.app = pyotp.TOTP(secret)
        answer = self.ask("POST", "/me/totp/on", json={"code": self.app.at(self.now() - 30)})
        assert answer.status_code == 200, answer.text
        self.codes = answer.json()["recovery_codes"]
        return self

    def now(self) -> int:
        return int(clock.now().timestamp())

    def code(self, off: int = 0) -> str:
        assert self.app is not None
        return self.app.at(self.now() + off)

    def ticket(self) -> str:
        found: str = self.login().json()["ticket"]
        return found


def test_codes_are_those_of_the_standard() -> None:
    """The values of RFC 6238's appendix, and what pyotp makes of any moment."""
    for moment, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert totp.code_at(RFC, moment // 30) == code
    for moment in range(0, 3_000_000_000, 98_765_431):
        assert totp.code_at(RFC, moment // 30) == pyotp.TOTP(RFC).at(moment)


def test_one_step_of_drift_either_way_and_none_twice() -> None:
    now, steps = 50_000_000, range(-3, 4)
    codes = {off: totp.code_at(RFC, now + off) for off in steps}
    assert [off for off in steps if totp.step_of(RFC, codes[off], now, after=0)] == [-1, 0, 1]
    assert totp.step_of(RFC, codes[0], now, after=now) is None
    assert totp.step_of(RFC, codes[-1], now, after=now) is None
    assert totp.step_of(RFC, codes[1], now, after=now) == now + 1
    for odd in ("", "12345", "x" * 40, "\uff11" * 6, codes[0] + "0"):
        assert totp.step_of(RFC, odd, now, after=0) is None
    assert totp.step_of("", totp.code_at("", now), now, after=0) is None


def test_an_app_is_asked_for_after_the_password_and_each_code_works_once(server: Appliance) -> None:
    one = Person(server, "app@factors.example.com").with_app()
    answer = one.login()
    said = answer.json()
    assert answer.status_code == 401 and said["type"] == "urn:homeport:second_factor"
    assert said["ways"] == ["code", "recovery_code"] and "token" not in said
    code = one.code()
    done = one.second(ticket=said["ticket"], code=code)
    assert done.status_code == 201 and done.json().keys() == {"token", "expires_at"}
    one.token = done.json()["token"]
    assert one.ask("GET", "/me").status_code == 200
    assert one.second(ticket=said["ticket"], code=one.code(30)).json()["type"] == "urn:homeport:no_ticket"
    assert one.second(ticket=one.ticket(), code=code).json()["type"] == "urn:homeport:wrong_code", "a code works once"


def test_half_a_session_can_do_nothing_else(server: Appliance) -> None:
    one = Person(server, "half@factors.example.com").with_app()
    ticket = one.ticket()
    for headers in ({"Authorization": f"Bearer {ticket}"}, {"Cookie": f"homeport_session={ticket}"}):
        for path in ("/me", "/projects", "/keys", "/me/factors"):
            assert httpx.get(f"{server.url}/api/v1{path}", headers=headers).status_code == 401
    assert one.second(ticket=ticket).status_code == 422
    assert one.second(ticket="x", code=one.code()).status_code == 401


def test_a_recovery_code_works_once_and_is_kept_as_a_hash(server: Appliance) -> None:
    one = Person(server, "recovery@factors.example.com").with_app()
    assert len(set(one.codes)) == 10 and all(re.fullmatch(r"[a-z0-9]{4}(-[a-z0-9]{4}){3}", code) for code in one.codes)
    assert one.second(ticket=one.ticket(), code=one.codes[0].upper().replace("-", " ")).status_code == 201
    assert one.second(ticket=one.ticket(), code=one.codes[0]).status_code == 401
    assert one.ask("GET", "/me/factors").json()["recovery_codes"] == 9
    kept = (server.data / "homeport.db").read_bytes() + (server.data / "homeport.db-wal").read_bytes()
    assert all(code.encode() not in kept and code.replace("-", "").encode() not in kept for code in one.codes)
    assert one.app is not None and one.app.secret.encode() not in kept, "the app's secret is sealed"
    other = Person(server, "recovery2@factors.example.com").with_app()
    assert other.second(ticket=other.ticket(), code=one.codes[1]).status_code == 401, "nobody else's"
    fresh = one.ask("POST", "/me/recovery-codes", json={}).json()["recovery_codes"]
    assert one.second(ticket=one.ticket(), code=one.codes[2]).status_code == 401, "those before stopped working"
    assert one.second(ticket=one.ticket(), code=fresh[9]).status_code == 201


def test_an_app_is_switched_on_by_a_right_code_only(server: Appliance) -> None:
    one = Person(server, "on@factors.example.com")
    begun = one.ask("POST", "/me/totp", json={}).json()
    app = pyotp.parse_uri(begun["uri"])
    assert isinstance(app, pyotp.TOTP) and app.secret == begun["secret"] and app.issuer == "Homeport"
    wrong = f"{(int(app.at(one.now())) + 1) % 1_000_000:06}"
    answer = one.ask("POST", "/me/totp/on", json={"code": wrong})
    assert answer.status_code == 422 and "code" in answer.json()["errors"]
    assert one.login().status_code == 201, "it does not count yet"
    assert one.ask("POST", "/me/totp/on", json={"code": app.at(one.now())}).status_code == 200
    assert one.login().status_code == 401
    assert one.ask("POST", "/me/totp", json={}).json()["type"] == "urn:homeport:totp_on"
    assert one.ask("DELETE", "/me/totp").status_code == 204
    assert one.login().status_code == 201
    assert one.ask("GET", "/me/factors").json()["recovery_codes"] == 0, "codes go with the last factor"


def test_a_key_can_change_neither_password_nor_factors(server: Appliance) -> None:
    for method, path, body in (
        ("POST", "/me/totp", {}),
        ("POST", "/me/totp/on", {"code": "123456"}),
        ("DELETE", "/me/totp", None),
        ("POST", "/me/passkeys/options", {}),
        ("POST", "/me/passkeys", {"name": "x", "credential": {"id": "x"}}),
        ("POST", "/me/recovery-codes", {}),
        ("POST", "/me/confirm", {"password": PASSWORD}),
        ("POST", "/me/password", {"old": PASSWORD, "password": "another long password"}),
    ):
        answer = server.ask(method, path, json=body) if body is not None else server.ask(method, path)
        assert answer.status_code == 403, path
        assert answer.json()["type"] == "urn:homeport:session_only"


ACCOUNT = (("POST", "/me/totp"), ("DELETE", "/me/totp"), ("POST", "/me/recovery-codes"), ("DELETE", "/me"))
DANGEROUS = (
    ("POST", "/keys"),
    ("DELETE", "/projects/confirmable"),
    ("DELETE", "/projects/confirmable/environments/production"),
    ("DELETE", "/backups/x"),
    ("GET", "/backups/x/download"),
    *ACCOUNT,
)


def test_what_is_dangerous_asks_again_after_ten_minutes(server: Appliance) -> None:
    one = Person(server, "confirm@factors.example.com", "owner")
    server.project("confirmable")
    headers = {"Cookie": f"homeport_session={one.token}", "Sec-Fetch-Site": "same-origin"}

    def ask(method: str, path: str, **more: Any) -> httpx.Response:
        return server.http.request(method, f"{server.url}/api/v1{path}", headers=headers, **more)

    assert ask("POST", "/keys", json={"name": "soon"}).status_code == 201
    age(server, one.email)
    for method, path in DANGEROUS:
        answer = ask(method, path)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:homeport:confirm"), path
        assert "/api/v1/me/confirm" in answer.json()["todo"][0]
    assert ask("GET", "/projects/confirmable").status_code == 200
    assert ask("POST", "/me/confirm", json={"password": "wrong password"}).status_code == 401
    assert ask("POST", "/keys", json={"name": "late"}).status_code == 403
    assert one.ask("POST", "/me/confirm", json={"password": THEIRS}).status_code == 204
    assert ask("POST", "/keys", json={"name": "late"}).status_code == 201


def test_a_script_is_asked_only_about_the_account_itself(server: Appliance) -> None:
    one = Person(server, "script@factors.example.com", "owner")
    server.project("scripted")
    age(server, one.email)
    assert one.ask("POST", "/keys", json={"name": "late"}).status_code == 201
    assert one.ask("DELETE", "/projects/scripted").status_code == 204
    for method, path in ACCOUNT:
        assert one.ask(method, path).json()["type"] == "urn:homeport:confirm", path
    assert server.ask("POST", "/keys", json={"name": "of a key"}).status_code == 201, "nobody can ask a key"


def test_sessions_are_listed_and_each_can_be_ended(server: Appliance) -> None:
    one = Person(server, "sessions@factors.example.com")
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    body = {"email": one.email, "password": THEIRS}
    tokens = [
        server.http.post(f"{server.url}/api/v1/login", json=body, headers=agent).json()["token"] for _ in range(2)
    ]
    listed = one.ask("GET", "/me/sessions").json()["items"]
    assert [each["current"] for each in listed].count(True) == 1 and len(listed) == 3
    firefox = [each for each in listed if each["device"] == "Firefox on Linux"]
    assert len(firefox) == 2 and all(each["ip"] == "127.0.0.1" for each in firefox)
    assert one.ask("DELETE", f"/me/sessions/{firefox[0]['id']}").status_code == 204
    assert one.ask("DELETE", f"/me/sessions/{firefox[0]['id']}").status_code == 404
    alive = [httpx.get(f"{server.url}/api/v1/me", headers={"Authorization": f"Bearer {it}"}) for it in tokens]
    assert sorted(each.status_code for each in alive) == [200, 401]
    assert one.ask("DELETE", "/me/sessions").status_code == 204
    assert [each["current"] for each in one.ask("GET", "/me/sessions").json()["items"]] == [True]
    other = Person(server, "sessions2@factors.example.com")
    theirs = other.ask("GET", "/me/sessions").json()["items"][0]["id"]
    assert one.ask("DELETE", f"/me/sessions/{theirs}").status_code == 404
    assert other.ask("GET", "/me").status_code == 200


def test_when_a_session_was_seen_is_noted_once_a_minute(server: Appliance) -> None:
    one = Person(server, "seen@factors.example.com")
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        db.execute("UPDATE sessions SET seen_at = '2026-01-01T00:00:00.000Z' WHERE ip = '127.0.0.1'")
    db.close()
    eventually(lambda: one.ask("GET", "/me/sessions").json()["items"][0]["seen_at"] > "2026-01-02")


def test_a_new_password_takes_the_old_one_and_ends_other_sessions(server: Appliance) -> None:
    one = Person(server, "password@factors.example.com")
    elsewhere = one.login().json()["token"]
    new = "an even longer password"
    assert one.ask("POST", "/me/password", json={"old": "not this one", "password": new}).status_code == 401
    assert one.ask("POST", "/me/password", json={"old": THEIRS, "password": "short"}).status_code == 422
    assert one.ask("POST", "/me/password", json={"old": THEIRS, "password": new}).status_code == 204
    assert one.ask("GET", "/me").status_code == 200
    gone = httpx.get(f"{server.url}/api/v1/me", headers={"Authorization": f"Bearer {elsewhere}"})
    assert gone.status_code == 401
    assert one.login().status_code == 401 and one.login(new).status_code == 201


@pytest.fixture
def browser(server: Appliance) -> Iterator[httpx.Client]:
    """One without script."""
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


def test_a_browser_gets_a_new_name_at_each_step(server: Appliance, browser: httpx.Client) -> None:
    """Whoever had slipped it an old one is left with nothing."""
    one = Person(server, "fixed@factors.example.com").with_app()
    answer = browser.post("/login", data={"email": one.email, "password": THEIRS, "back": "/urls"})
    assert answer.headers["location"] == "/login/second?back=/urls"
    assert "homeport_session" not in browser.cookies and "homeport_step" in browser.cookies
    assert browser.get("/projects").headers["location"].startswith("/login")
    page = browser.get("/login/second?back=/urls")
    assert page.status_code == 200 and one.email in page.text
    wrong = browser.post("/login/second", data={"code": "not right", "back": "/urls"})
    assert wrong.status_code == 401 and "homeport_session" not in browser.cookies
    done = browser.post("/login/second", data={"code": one.code(), "back": "/urls"})
    assert done.status_code == 303 and done.headers["location"] == "/urls"
    assert "homeport_step" not in browser.cookies
    before = browser.cookies["homeport_session"]
    assert browser.get("/confirm?to=//evil.example").text.count("evil.example") == 0
    done = browser.post("/confirm", data={"password": THEIRS, "to": "/account"})
    assert done.status_code == 303 and done.headers["location"] == "/account"
    after = browser.cookies["homeport_session"]
    assert after != before
    old = httpx.get(f"{server.url}/api/v1/me", headers={"Cookie": f"homeport_session={before}"})
    assert old.status_code == 401 and browser.get("/account").status_code == 200


def test_a_form_that_came_too_late_is_shown_again_and_not_sent_unseen(server: Appliance, browser: httpx.Client) -> None:
    one = Person(server, "late@factors.example.com", "owner")
    browser.post("/login", data={"email": one.email, "password": THEIRS})
    age(server, one.email)
    asked = browser.post("/settings/keys", data={"name": "typed <b>", "days": "90", "password": "s3ntinel-word"})
    assert asked.status_code == 403 and "Confirm it’s you" in asked.text
    assert "s3ntinel-word" not in asked.text
    kept = re.search(r'name="typed" value="([^"]*)"', asked.text)
    assert kept is not None
    typed = kept[1].replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">")
    wrong = browser.post("/confirm", data={"password": "wrong", "to": "/settings/keys", "typed": typed})
    assert wrong.status_code == 401 and "typed &lt;b&gt;" in wrong.text, "nothing is lost"
    again = browser.post("/confirm", data={"password": THEIRS, "to": "/settings/keys", "typed": typed})
    assert again.status_code == 200 and "typed &lt;b&gt;" in again.text and 'action="/settings/keys"' in again.text
    assert "typed <b>" not in str(one.ask("GET", "/keys").json()), "not before a press"
    assert browser.post("/settings/keys", data={"name": "typed <b>", "days": "90"}).status_code == 201
    age(server, one.email)
    server.project("goes-late")
    page = browser.get("/projects/goes-late/delete")
    assert page.status_code == 303 and page.headers["location"] == "/confirm?to=/projects/goes-late/delete"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        yield made


@pytest.fixture
def owner(ctx: Context) -> Actor:
    link = setup.make_link(ctx, "http://x").partition("token=")[2]
    token = setup.set_up(ctx, SetUp(link, EMAIL, PASSWORD), door="api", ip=None).token
    return sessions.actor_of(ctx, token, door="api", ip=None)


def switch_on(ctx: Context, owner: Actor) -> pyotp.TOTP:
    app = pyotp.TOTP(totp.begin(ctx, owner).secret)
    totp.switch_on(ctx, owner, app.at(ctx.now() - timedelta(seconds=30)))
    return app


def half(ctx: Context) -> str:
    with pytest.raises(HalfWay) as why:
        sessions.sign_in(ctx, Credentials(EMAIL, PASSWORD), door="api", ip="192.0.2.1")
    return why.value.ticket


def test_guessing_codes_gets_slower_whatever_is_right_in_between(ctx: Context, owner: Actor) -> None:
    """Neither a new ticket nor the right password sets the count back."""
    app = switch_on(ctx, owner)

    def guess(code: str, ticket: str) -> type[Exception] | None:
        try:
            second_step.finish(ctx, SecondStep(ticket, code), PARTY, door="api", ip="192.0.2.1")
        except (NotSignedIn, TooMany) as why:
            return type(why)
        return None

    tickets = [half(ctx) for _ in range(7)]
    found = [guess("000000", ticket) for ticket in tickets]
    assert found[:5] == [NotSignedIn] * 5 and found[5:] == [TooMany] * 2
    now = clock.now()
    assert guess(app.at(now), tickets[0]) is TooMany, "a right one waits as well"
    ctx.now = lambda: now + timedelta(seconds=120)
    assert guess(app.at(ctx.now()), tickets[0]) is None


def test_half_a_session_ends_after_ten_minutes_and_with_the_password(ctx: Context, owner: Actor) -> None:
    app = switch_on(ctx, owner)
    ticket, start = half(ctx), clock.now()
    ctx.now = lambda: start + timedelta(minutes=10, seconds=1)
    with pytest.raises(NotSignedIn, match="too long"):
        second_step.finish(ctx, SecondStep(ticket, app.at(ctx.now())), PARTY, door="api", ip=None)
    ticket = half(ctx)
    setup.reset_password(ctx, OPERATOR, NewPerson(EMAIL, "a new long password"))
    with pytest.raises(NotSignedIn, match="too long"):
        second_step.finish(ctx, SecondStep(ticket, app.at(ctx.now())), PARTY, door="api", ip=None)


def test_factors_can_be_taken_away_on_the_host(ctx: Context, owner: Actor) -> None:
    switch_on(ctx, owner)
    half(ctx)
    second_step.reset_factors(ctx, OPERATOR, EMAIL.upper())
    assert sessions.sign_in(ctx, Credentials(EMAIL, PASSWORD), door="api", ip=None).token


def test_where_one_is_required_nothing_else_can_be_done_first(tmp_path: Path) -> None:
    server = Appliance(tmp_path / "data", HOMEPORT_SECOND_FACTOR="required").start()
    body = {"token": server.wait_for_token(), "email": EMAIL, "password": PASSWORD}
    token = server.http.post(f"{server.url}/api/v1/setup", json=body).json()["token"]
    with httpx.Client(base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as http:
        _has_to_set_one_up(server, token, http)
    server.kill()
    server.http.close()


def _has_to_set_one_up(server: Appliance, token: str, http: httpx.Client) -> None:
    for method, path in (
        ("GET", "/projects"),
        ("POST", "/projects"),
        ("POST", "/keys"),
        ("GET", "/settings"),
        ("PATCH", "/settings"),
        ("GET", "/projects/blog"),
        ("GET", "/activity"),
    ):
        answer = http.request(method, path, json={"name": "blog"} if method == "POST" else None)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:homeport:second_factor_needed"), path
    browser = {"Cookie": f"homeport_session={token}", "Accept": "text/html"}
    for path in ("/projects", "/", "/settings", "/docs"):
        page = httpx.get(f"{server.url}{path}", headers=browser)
        assert page.status_code == 303 and page.headers["location"] == "/account", path
    assert "second factor is required" in httpx.get(f"{server.url}/account", headers=browser).text
    assert http.get("/me/factors").json()["required"] is True
    app = pyotp.TOTP(http.post("/me/totp", json={}).json()["secret"])
    assert http.post("/me/totp/on", json={"code": app.now()}).status_code == 200
    assert http.post("/projects", json={"name": "blog"}).status_code == 201


def test_the_last_one_can_not_go_where_one_is_required(ctx: Context, owner: Actor) -> None:
    switch_on(ctx, owner)
    inside.save(ctx, second_factor="required")
    with pytest.raises(Conflict, match="last"):
        totp.switch_off(ctx, owner)
