"""The front door: by which names it answers, whom it believes, how often anyone may ask, and who may look over."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.access.limits import Limits, Quota, neighbours
from appliance.access.permissions import PUBLIC
from appliance.api.routes import routes as api_routes
from appliance.errors import StartFailed
from appliance.settings import Settings
from appliance.ui.routes import routes as ui_routes
from appliance.web.proxies import believe
from appliance.web.routes import Declared
from tests.api.test_contract import problem
from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.servers import eventually

URL = "https://deploy.example.net"
PAGE_OF = "https://status.example.net"
PROXIED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
COOKIE = "homeport_session"


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One that knows its address, with a proxy in front and one page elsewhere that may use its API."""
    with Appliance(
        tmp_path_factory.mktemp("named") / "data",
        HOMEPORT_HOSTS="homeport.internal",
        HOMEPORT_TRUSTED_PROXIES="127.0.0.0/8",
        HOMEPORT_CORS_ORIGINS=PAGE_OF,
        HOMEPORT_HSTS="31536000",
    ) as running:
        assert running.ask("PATCH", "/settings", json={"url": URL}).status_code == 200
        yield running


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One that lets in little."""
    with Appliance(
        tmp_path_factory.mktemp("slow") / "data",
        HOMEPORT_LIMIT_KEY="20",
        HOMEPORT_LIMIT_PERSON="10",
        HOMEPORT_LIMIT_ADDRESS="15",
        HOMEPORT_LIMIT_TRIES="4",
        HOMEPORT_TRUSTED_PROXIES="127.0.0.1",
    ) as running:
        yield running


# Names


@pytest.mark.parametrize(
    "host",
    ["deploy.example.net", "DEPLOY.example.net.", "deploy.example.net:8443", "homeport.internal", "localhost",
     "127.0.0.1", "192.0.2.77", "[2001:db8::1]:8420", socket.gethostname()],
)  # fmt: skip
def test_it_answers_by_its_names_and_by_bare_addresses(named: Appliance, host: str) -> None:
    assert named.ask("GET", "/me", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example.com", "example.net", "deploy.example.net.evil.example.com", "xdeploy.example.net",
     "evil.example.com:deploy.example.net", "deploy.example.net@evil.example.com", "a" * 400],
)  # fmt: skip
def test_a_forged_name_gets_nothing(named: Appliance, host: str) -> None:
    said = problem(named.ask("GET", "/me", headers={"Host": host}), 421)
    assert said["type"] == "urn:homeport:other_host" and host not in said["detail"]
    page = named.http.get(f"{named.url}/login", headers={"Host": host, "Accept": "text/html"})
    assert page.status_code == 421 and f"Open {URL} instead." in page.text
    assert page.headers["content-type"].startswith("text/plain")
    assert "evil" not in page.text


def test_a_forged_name_by_way_of_the_proxy_gets_nothing_either(named: Appliance) -> None:
    forwarded = {"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example.com"}
    problem(named.ask("GET", "/me", headers=forwarded), 421)
    forwarded = {"Host": "upstream", "X-Forwarded-Host": "deploy.example.net"}
    assert named.ask("GET", "/me", headers=forwarded).status_code == 200


def test_while_no_name_was_given_any_goes(server: Appliance) -> None:
    assert server.ask("GET", "/me", headers={"Host": "anything.example.org"}).status_code == 200


def test_what_is_typed_wrong_stops_the_start() -> None:
    for variable, text in (
        ("HOSTS", "https://deploy.example.net"),
        ("HOSTS", "deploy.example.net:80"),
        ("TRUSTED_PROXIES", "proxy.example.net"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "status.example.net"),
        ("CORS_ORIGINS", "https://status.example.net/"),
        ("CORS_ORIGINS", "null"),
        ("LIMIT_KEY", "-1"),
        ("HSTS", "a year"),
    ):
        with pytest.raises(StartFailed) as why:
            Settings.load({}, {f"HOMEPORT_{variable}": text})
        assert f"HOMEPORT_{variable} is {text!r}" in why.value.detail


# Proxies


def came(proxies: str, peer: str, *headers: tuple[str, str]) -> dict[str, Any]:
    scope: dict[str, Any] = {"client": (peer, 5), "scheme": "http"}
    scope["headers"] = [(b"host", b"upstream"), *((name.encode(), value.encode()) for name, value in headers)]
    believe(scope, proxies)
    return {"ip": scope["client"][0], "scheme": scope["scheme"], "host": dict(scope["headers"])[b"host"].decode()}


FOR, PROTO, AS = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"
CASES = [
    ("", "192.0.2.1", [(FOR, "203.0.113.9"), (PROTO, "https"), (AS, "evil")], ("192.0.2.1", "http", "upstream")),
    ("10.0.0.0/8", "192.0.2.1", [(FOR, "203.0.113.9"), (AS, "evil")], ("192.0.2.1", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "203.0.113.9")], ("203.0.113.9", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "1.1.1.1, 203.0.113.9")], ("203.0.113.9", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "1.1.1.1, 203.0.113.9, 10.0.0.7")], ("203.0.113.9", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "1.1.1.1"), (FOR, "203.0.113.9")], ("203.0.113.9", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "10.0.0.5, 10.0.0.7")], ("10.0.0.5", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "203.0.113.9, nonsense, 10.0.0.7")], ("10.0.0.7", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "nonsense")], ("10.1.2.3", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [], ("10.1.2.3", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "203.0.113.9:4711")], ("203.0.113.9", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(FOR, "[2001:db8::9]:4711")], ("2001:db8::9", "http", "upstream")),
    ("10.0.0.0/8", "::ffff:10.1.2.3", [(FOR, "203.0.113.9")], ("203.0.113.9", "http", "upstream")),
    ("", "::ffff:10.1.2.3", [], ("10.1.2.3", "http", "upstream")),
    ("2001:db8::/32", "2001:db8::1", [(PROTO, "http, https")], ("2001:db8::1", "https", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(PROTO, "gopher"), (AS, "a b")], ("10.1.2.3", "http", "upstream")),
    ("10.0.0.0/8", "10.1.2.3", [(AS, "evil, a.example.net:8443")], ("10.1.2.3", "http", "a.example.net:8443")),
]  # fmt: skip


@pytest.mark.parametrize(("proxies", "peer", "headers", "wanted"), CASES)
def test_the_right_most_that_is_no_proxy_of_ours_is_who_asks(
    proxies: str, peer: str, headers: list[tuple[str, str]], wanted: tuple[str, str, str]
) -> None:
    found = came(proxies, peer, *headers)
    assert (found["ip"], found["scheme"], found["host"]) == wanted


def test_who_comes_by_the_proxy_is_told_to_stay_with_https(named: Appliance) -> None:
    answer = named.ask("GET", "/me", headers=PROXIED)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in named.ask("GET", "/me").headers


# Quotas


def test_a_key_a_person_and_an_address_each_have_their_own(slow: Appliance) -> None:
    answers = [slow.ask("GET", "/me") for _ in range(30)]
    first, last = answers[0], answers[-1]
    assert first.headers["ratelimit-policy"] == '"key";q=20;w=60'
    assert re.fullmatch(r'"key";r=\d+;t=\d+', first.headers["ratelimit"])
    assert last.headers["ratelimit"].startswith('"key";r=0;t=')
    said = problem(last, 429)
    assert said["type"] == "urn:homeport:too_many_requests"
    assert 1 <= int(last.headers["retry-after"]) <= 60
    assert f"{last.headers['retry-after']} second" in said["detail"]
    person = {"Authorization": f"Bearer {slow.token}"}
    assert [slow.http.get(f"{slow.url}/api/v1/me", headers=person).status_code for _ in range(12)][-1] == 429
    nobody = {"X-Forwarded-For": "198.51.100.1"}
    answer = slow.http.get(f"{slow.url}/api/v1/me", headers=nobody)
    assert answer.status_code == 401 and answer.headers["ratelimit-policy"] == '"address";q=15;w=60'
    assert slow.http.get(f"{slow.url}/healthz", headers=nobody).status_code == 200


def test_a_page_says_it_in_words(slow: Appliance) -> None:
    headers = {"X-Forwarded-For": "198.51.100.2", "Accept": "text/html"}
    page = [slow.http.get(f"{slow.url}/login", headers=headers) for _ in range(17)][-1]
    assert page.status_code == 429 and "Too many requests" in page.text and page.headers["retry-after"]
    assert slow.http.get(f"{slow.url}/static/app.css", headers=headers).status_code == 200, "it keeps its looks"
    assert slow.http.get(f"{slow.url}/healthz", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/login", "/login", "/api/v1/setup", "/setup"])
def test_tries_are_fewer(slow: Appliance, path: str) -> None:
    headers = {"X-Forwarded-For": f"198.51.100.{len(path) + 10}"}
    answers = [slow.http.post(slow.url + path, json={"token": "x"}, headers=headers) for _ in range(6)]
    assert [one.status_code for one in answers][-1] == 429
    assert ";q=4;w=60" in answers[0].headers["ratelimit-policy"]


def test_no_counter_is_reset_by_a_made_up_address(slow: Appliance) -> None:
    """The proxy adds who really asks at the right; what the asker wrote stands left of it."""

    def guess(number: int) -> int:
        headers = {"X-Forwarded-For": f"10.0.0.{number}, 198.51.100.50"}
        body = {"email": f"{number}@example.com", "password": "wrong password"}
        return slow.http.post(f"{slow.url}/api/v1/login", json=body, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(guess, range(12))).count(429) >= 8


def test_a_whole_network_is_one_asker(slow: Appliance) -> None:
    answers = [
        slow.http.get(f"{slow.url}/api/v1/me", headers={"X-Forwarded-For": f"2001:db8:0:7::{number:x}"}).status_code
        for number in range(1, 18)
    ]
    assert answers[-1] == 429
    assert neighbours("2001:db8:0:7::1") != neighbours("2001:db8:0:8::1")
    assert neighbours("::ffff:192.0.2.1") == "192.0.2.1"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_was_not_used_comes_back_little_by_little() -> None:
    clock = Clock()
    limits, quota = Limits(clock=clock), Quota("key", 60)
    left = [limits.spend(quota, "a").left for _ in range(60)]
    assert left == list(range(59, -1, -1))
    refused = limits.spend(quota, "a")
    assert (refused.left, refused.wait, refused.back_in) == (0, 1, 60)
    assert limits.spend(quota, "b").left == 59
    clock.now += 1
    assert limits.spend(quota, "a").wait == 0
    assert limits.spend(quota, "a").wait == 1
    clock.now += 60
    assert limits.spend(quota, "a").left == 59


def test_a_flood_of_addresses_fills_no_memory_and_lets_nobody_off() -> None:
    clock = Clock()
    limits, quota = Limits(keep=100, clock=clock), Quota("address", 10)
    for _ in range(10):
        limits.spend(quota, "often")
    for number in range(5000):
        limits.spend(quota, f"once {number}")
    assert len(limits._back) <= 100
    assert limits.spend(quota, "often").wait


def test_a_limit_of_nothing_is_none(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data", HOMEPORT_LIMIT_KEY="0") as free:
        assert "ratelimit" not in free.ask("GET", "/me").headers


def test_whatever_anybody_may_send_is_counted() -> None:
    """What takes no sign-in can be guessed at, or costs work: a new one says by what name it is counted."""
    uncounted = {
        one.path
        for one in (*api_routes(), *ui_routes())
        if isinstance(one, Declared) and one.allow == PUBLIC and "POST" in (one.methods or ()) and not one.tries
    }
    asked_again_and_again = {"/api/v1/device/token"}  # for what nobody can guess; its address is counted
    assert uncounted <= {"/login/cancel", *asked_again_and_again}


# Other sites


def asked(server: Appliance, method: str, path: str, origin: str, **headers: str) -> httpx.Response:
    return server.http.request(method, server.url + path, headers={"Origin": origin, **headers})


def test_a_page_that_may_uses_the_api_by_a_key(named: Appliance) -> None:
    before = asked(
        named, "OPTIONS", "/api/v1/projects", PAGE_OF,
        **{"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"},
    )  # fmt: skip
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == PAGE_OF
    assert "POST" in before.headers["access-control-allow-methods"]
    assert "Authorization" in before.headers["access-control-allow-headers"]
    key = {"Authorization": f"Bearer {named.key}", "Sec-Fetch-Site": "cross-site"}
    answer = asked(named, "GET", "/api/v1/me", PAGE_OF, **key)
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == PAGE_OF
    assert "Origin" in answer.headers["vary"]
    for one in (before, answer):
        assert "access-control-allow-credentials" not in one.headers
    made = named.http.post(f"{named.url}/api/v1/projects", json={"name": "shared"}, headers={"Origin": PAGE_OF, **key})
    assert made.status_code == 201


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "null", "*", f"{PAGE_OF}.evil.example.com", f"{PAGE_OF}:1"]
)
def test_no_other_page_may(named: Appliance, origin: str) -> None:
    for method, path in (("OPTIONS", "/api/v1/projects"), ("GET", "/api/v1/me"), ("GET", "/login")):
        answer = asked(named, method, path, origin, **{"Access-Control-Request-Method": "GET"})
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_pages_are_never_shared_and_a_cookie_is_never_enough(named: Appliance) -> None:
    for path in ("/login", "/projects", "/healthz", "/static/app.css"):
        answer = asked(named, "GET", path, PAGE_OF)
        assert not [name for name in answer.headers if name.startswith("access-control")], path
    cookie = signed_in(named)
    refused = asked(
        named, "POST", "/api/v1/projects", PAGE_OF, **{"Sec-Fetch-Site": "cross-site", "Cookie": f"{COOKIE}={cookie}"}
    )
    assert problem(refused, 403)["type"] == "urn:homeport:cross_site"


# Cookies that somebody else set


def signed_in(server: Appliance, **headers: str) -> str:
    form = {"email": EMAIL, "password": PASSWORD}
    answer = server.http.post(f"{server.url}/login", data=form, headers=headers)
    server.http.cookies.clear()
    return answer.headers["set-cookie"].partition("=")[2].partition(";")[0]


def who(server: Appliance, cookie: str, **headers: str) -> int:
    return httpx.get(f"{server.url}/api/v1/me", headers={"Cookie": cookie, **headers}).status_code


def test_over_https_only_the_cookie_counts_that_no_other_host_can_set(named: Appliance) -> None:
    token = signed_in(named, **PROXIED)
    assert who(named, f"__Host-{COOKIE}={token}", **PROXIED) == 200
    assert who(named, f"{COOKIE}={token}", **PROXIED) == 401
    assert who(named, f"{COOKIE}={token}") == 200


def test_a_second_cookie_makes_nobody_somebody_else(named: Appliance) -> None:
    ours, theirs = signed_in(named), signed_in(named)
    assert who(named, f"{COOKIE}={ours}; {COOKIE}=nonsense") == 200
    assert who(named, f"{COOKIE}=nonsense; {COOKIE}={ours}") == 200
    assert who(named, f"{COOKIE}={ours}; {COOKIE}={ours}") == 200
    for cookies in (f"{COOKIE}={theirs}; {COOKIE}={ours}", f"{COOKIE}={ours}; {COOKIE}={theirs}"):
        said = problem(httpx.get(f"{named.url}/api/v1/me", headers={"Cookie": cookies}), 400)
        assert said["type"] == "urn:homeport:two_sessions"


@pytest.mark.slow
def test_who_signs_in_holds_up_nobody(slow: Appliance) -> None:
    """Ten at once, each a quarter of a second of work and more on a busy host, while others look."""

    def sign_in(number: int) -> int:
        headers = {"X-Forwarded-For": f"203.0.113.{number + 100}"}
        body = {"email": f"{number}@busy.example.com", "password": "wrong password"}
        return httpx.post(f"{slow.url}/api/v1/login", json=body, headers=headers, timeout=120).status_code

    waits: list[float] = []
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(sign_in, number) for number in range(10)]
        while not all(one.done() for one in asked):
            began = time.monotonic()
            assert httpx.get(f"{slow.url}/healthz", timeout=20).status_code == 200
            waits.append(time.monotonic() - began)
    assert {one.result() for one in asked} == {401}
    assert sorted(waits)[len(waits) // 2] < 0.25, "less than one of them takes"


# Names that no site can have


def test_no_site_gets_a_name_by_which_this_is_reached(named: Appliance) -> None:
    named.project("greedy")
    place = "/projects/greedy/environments/production/urls"
    for host in ("deploy.example.net", "example.net", "homeport.internal"):
        assert problem(named.ask("POST", place, json={"host": host}), 409)["type"] == "urn:homeport:own_host"


def test_nor_one_by_which_its_people_came(fresh: Appliance) -> None:
    """While it was told no address, those that lead to it are known by who used them."""
    fresh.project("greedy")
    place = "/projects/greedy/environments/production/urls"
    key = {"Host": "made-up.example.org", "Authorization": f"Bearer {fresh.key}"}
    fresh.http.get(f"{fresh.url}/api/v1/me", headers=key)
    cookie = f"{COOKIE}={signed_in(fresh)}"
    fresh.http.get(f"{fresh.url}/projects", headers={"Host": "portal.example.com:8420", "Cookie": cookie})

    def refused(host: str) -> bool:
        answer = fresh.ask("POST", place, json={"host": host})
        return answer.status_code == 409 and answer.json()["type"] == "urn:homeport:own_host"

    eventually(lambda: refused("portal.example.com"))
    assert refused("example.com")
    assert not refused("made-up.example.org"), "a key may be anybody's script"


def test_an_address_below_that_of_a_site_is_not_taken(fresh: Appliance) -> None:
    fresh.project("above")
    fresh.ask("POST", "/projects/above/environments/production/urls?wait=10", json={"host": "example.org"})
    said = problem(fresh.ask("PATCH", "/settings", json={"url": "https://deploy.example.org"}), 409)
    assert said["type"] == "urn:homeport:host_taken"
