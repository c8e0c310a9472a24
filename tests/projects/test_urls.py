"""URLs, where Homeport serves them itself."""

import pytest

from tests.api.test_contract import problem
from tests.appliance import Appliance


def path(project: str, more: str = "") -> str:
    return f"/projects/{project}/environments/production/urls{more}"


def add(server: Appliance, project: str, host: str, wait: int = 20) -> dict[str, object]:
    answer = server.ask("POST", path(project, f"?wait={wait}"), json={"host": host})
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


@pytest.fixture(scope="module")
def site(server: Appliance) -> str:
    server.project("addressed")
    server.deploy("addressed", {"index.html": "here"})
    return "addressed"


def test_one_that_is_added_answers(server: Appliance, site: str) -> None:
    url = add(server, site, "www.example.com")
    assert url["status"] == "active" and url["error"] is None
    assert url.keys() >= {"host", "status", "error", "nginx", "dns"}
    assert server.visit("www.example.com.").text == "here"
    assert server.visit("WWW.Example.COM.").text == "here"
    environment = server.get("/projects/addressed/environments/production")
    assert environment["address"] == f"http://www.example.com:{server.port}/"
    assert [one["host"] for one in environment["urls"]] == ["www.example.com"]
    assert server.get(path(site))["items"] == environment["urls"] == server.get("/urls?q=www.example.com")["items"]
    assert server.get("/activity?q=www.example.com")["items"][-1]["verb"] == "url.create"


def test_one_that_is_removed_stops_answering(server: Appliance, site: str) -> None:
    add(server, site, "gone.example.com")
    assert server.ask("DELETE", path(site, "/gone.example.com")).status_code == 204
    assert server.visit("gone.example.com.").text != "here"
    problem(server.ask("DELETE", path(site, "/gone.example.com")), 404)
    assert add(server, site, "gone.example.com")["status"] == "active", "it can come back"


def test_a_name_leads_to_one_place(server: Appliance, site: str) -> None:
    add(server, site, "mine.example.com")
    server.project("rival")
    said = problem(server.ask("POST", path("rival"), json={"host": "MINE.example.com."}), 409)
    assert said["type"] == "urn:homeport:host_taken" and "addressed, production" in said["detail"]
    problem(server.ask("POST", path(site), json={"host": "mine.example.com"}), 409)
    problem(server.ask("DELETE", path("rival", "/mine.example.com")), 404)
    assert server.visit("mine.example.com.").text == "here"


def test_before_anything_is_live_it_waits(server: Appliance) -> None:
    server.project("early")
    url = add(server, "early", "early.example.com", wait=5)
    assert url["status"] == "pending"
    server.deploy("early", {"index.html": "now"})
    settled = server.ask("POST", "/urls/early.example.com/check?wait=20").json()
    assert settled["status"] == "active"
    assert server.visit("early.example.com.").text == "now"


TAKEN = {
    "Upper.Example.COM": "upper.example.com",
    "dot.example.com.": "dot.example.com",
    "  spaces.example.com ": "spaces.example.com",
    "bücher.example.com": "xn--bcher-kva.example.com",
    "BÜCHER-2.example.com": "xn--bcher-2-n2a.example.com",
    "例え.example.com": "xn--r8jz45g.example.com",
    "wide。example.com": "wide.example.com",
    "intranet": "intranet",
    "1st.example.com": "1st.example.com",
    "a" * 63 + ".example.com": "a" * 63 + ".example.com",
}


@pytest.mark.parametrize("typed", TAKEN)
def test_a_name_is_kept_in_one_spelling(server: Appliance, site: str, typed: str) -> None:
    host = TAKEN[typed]
    assert add(server, site, typed)["host"] == host
    assert server.visit(f"{host}.").text == "here"
    problem(server.ask("POST", path(site), json={"host": typed}), 409)
    assert server.ask("DELETE", path(site, f"/{typed.strip()}")).status_code == 204, "by the name that was typed"


REFUSED = {
    "": "Enter a host name",
    "http://www.example.com": "without http://",
    "www.example.com/path": "without http://",
    "//www.example.com": "without http://",
    "www.example.com:8080": "without a port",
    "192.0.2.1": "not an address",
    "192.0.2.1:80": "",
    "[2001:db8::1]": "not an address",
    "2001:db8::1": "not an address",
    "127.1": "not an address",
    "0x7f.1": "not an address",
    "0x7f000001": "not an address",
    "under_score.example.com": "letters, digits",
    "example.1": "not an address",
    "\N{FULLWIDTH DIGIT ONE}27.0.0.1": "not an address",
    "a.*.example.com": "A star",
    "localhost": ".localhost",
    "blog.localhost": ".localhost",
    "LOCALHOST.": ".localhost",
    "\N{FULLWIDTH LATIN SMALL LETTER L}ocalhost": ".localhost",
    "a..example.com": "letters, digits",
    ".example.com": "letters, digits",
    "-a.example.com": "letters, digits",
    "a-.example.com": "letters, digits",
    "a b.example.com": "letters, digits",
    "user@example.com": "letters, digits",
    "a;b.example.com": "letters, digits",
    "a{}.example.com": "letters, digits",
    "a\nb.example.com": "letters, digits",
    "$host.example.com": "letters, digits",
    "../etc/passwd": "without http://",
    "..": "letters, digits",
    "a" * 64 + ".example.com": "letters, digits",
    ".".join(["a" * 60] * 5): "letters, digits",
    "é" * 70 + ".example.com": "",
    "\u202ea.example.com": "",
}


@pytest.mark.parametrize("typed", REFUSED, ids=repr)
def test_what_is_no_host_name_is_refused_in_words(server: Appliance, site: str, typed: str) -> None:
    problem(server.ask("POST", path(site), json={"host": typed}), 422, host=REFUSED[typed])


def test_the_appliances_own_name_is_refused_and_so_is_what_stands_above_it(server: Appliance, site: str) -> None:
    server.ask("PATCH", "/settings", json={"url": "https://deploy.own.example.net"})
    try:
        for host in ("deploy.own.example.net", "own.example.net", "example.net"):
            assert problem(server.ask("POST", path(site), json={"host": host}), 409)["type"] == "urn:homeport:own_host"
        assert add(server, site, "beside.own.example.net")["status"] == "active"
        assert add(server, site, "below.deploy.own.example.net")["status"] == "active"
    finally:
        server.ask("PATCH", "/settings", json={"url": None})


def test_the_appliance_can_not_be_given_the_name_of_a_site(server: Appliance, site: str) -> None:
    """Else nobody would reach it there: the site comes first."""
    add(server, site, "site.own.example.org")
    said = problem(server.ask("PATCH", "/settings", json={"url": "https://Site.own.example.org:8420/"}), 409)
    assert "addressed, production" in said["detail"]
    assert all(one["saved_at"] is None for one in server.get("/settings")["items"] if one["name"] == "url")


NO_ADDRESS = [
    "deploy.example.net", "ftp://x.example.net", "https://", "https://:80", "https://user:word@x.example.net",
    "https://a b", "http://blog.localhost:8420", "https://x.example.net:port", "https://[x", "https://x\u2028.example.net",
]  # fmt: skip


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_address_of_its_own_is_refused(server: Appliance, url: str) -> None:
    problem(server.ask("PATCH", "/settings", json={"url": url}), 422, url="can't be used: ")


@pytest.mark.parametrize(
    ("target", "good"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("host.example.net", True),
        ("", True),
        ("http://x", False),
        ("192.0.2.1:80", False),
        ("a b", False),
        ("192.0.2.256", False),
        ("*", False),
    ],
)
def test_what_records_may_point_to(server: Appliance, target: str, good: bool) -> None:
    answer = server.ask("PATCH", "/settings", json={"dns_target": target})
    assert answer.status_code == (200 if good else 422)
    server.ask("PATCH", "/settings", json={"dns_target": None})


def test_waiting_and_proxying_are_asked_for_in_good_form(server: Appliance, site: str) -> None:
    problem(server.ask("POST", path(site, "?wait=x"), json={"host": "w.example.com"}), 422, wait="0 to 600")
    problem(
        server.ask("POST", path(site), json={"host": "w.example.com", "proxied": "perhaps"}), 422, proxied="true or"
    )
    at_once = server.ask("POST", path(site), json={"host": "w.example.com", "proxied": True})
    assert at_once.status_code == 201 and at_once.json()["proxied"] is True
    problem(server.ask("POST", "/urls/no-such.example.com/check"), 404)
