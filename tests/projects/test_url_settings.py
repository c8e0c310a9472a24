"""What a URL is set to, through the API, where Homeport serves it itself."""

import base64
import itertools
from typing import Any

import httpx
import pytest

from appliance.model import serving
from tests.api.test_contract import problem
from tests.appliance import Appliance

PRODUCTION = "environments/production"
_NUMBERS = itertools.count(1)


def add(server: Appliance, project: str, host: str, **settings: Any) -> dict[str, Any]:
    answer = server.ask("POST", f"/projects/{project}/{PRODUCTION}/urls?wait=20", json={"host": host, **settings})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] == "active", found
    return found


def change(server: Appliance, host: str, **settings: Any) -> dict[str, Any]:
    answer = server.ask("PATCH", f"/urls/{host}?wait=20", json=settings)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] == "active", found
    return found


def refused(server: Appliance, host: str, status: int = 422, **settings: Any) -> dict[str, Any]:
    said: dict[str, Any] = problem(server.ask("PATCH", f"/urls/{host}", json=settings), status)
    return said


def visit(server: Appliance, host: str, path: str = "/", **headers: str) -> httpx.Response:
    return httpx.get(
        f"http://127.0.0.1:{server.port}{path}", headers={"Host": f"{host}:{server.port}", **headers}, timeout=30
    )


def address(server: Appliance, project: str) -> str:
    found: str = server.get(f"/projects/{project}/{PRODUCTION}")["address"]
    return found


@pytest.fixture
def site(server: Appliance) -> str:
    """A project of the test's own, live, whose name its hosts are under."""
    name = f"set{next(_NUMBERS)}"
    server.project(name)
    server.deploy(name, {"index.html": "here"})
    return name


def test_the_oldest_is_the_address_until_one_is_chosen(server: Appliance, site: str) -> None:
    first, second = f"z.{site}.test", f"a.{site}.test"
    assert add(server, site, first)["primary"] is False
    add(server, site, second)
    assert address(server, site) == f"http://{first}:{server.port}/"
    assert change(server, second, primary=True)["primary"] is True
    assert address(server, site) == f"http://{second}:{server.port}/"
    assert change(server, first, primary=True)["primary"] is True
    assert server.get(f"/urls/{second}")["primary"] is False, "one at a time"
    change(server, first, primary=False)
    assert address(server, site) == f"http://{first}:{server.port}/", "the oldest again"


def test_one_that_leads_to_the_primary_follows_it(server: Appliance, site: str) -> None:
    first, second, old = f"one.{site}.test", f"two.{site}.test", f"old.{site}.test"
    add(server, site, first)
    add(server, site, second)
    made = add(server, site, old, redirect_to="primary", redirect_status=308)
    assert (made["redirect_to"], made["redirect_status"]) == ("primary", 308)
    found = visit(server, old, "/a?b=1")
    assert (found.status_code, found.headers["location"]) == (308, f"http://{first}:{server.port}/a?b=1")
    change(server, second, primary=True)
    assert visit(server, old).headers["location"] == f"http://{second}:{server.port}/"
    change(server, old, redirect_to=first.upper())
    assert visit(server, old).headers["location"] == f"http://{first}:{server.port}/"
    assert change(server, old, redirect_to=None)["redirect_status"] is None
    assert visit(server, old).text == "here"


def test_nobody_is_led_nowhere_or_in_a_circle(server: Appliance, site: str) -> None:
    main, old = f"main.{site}.test", f"old.{site}.test"
    path = f"/projects/{site}/{PRODUCTION}/urls"
    said = problem(server.ask("POST", path, json={"host": old, "redirect_to": "primary"}), 409)
    assert said["type"] == "urn:homeport:leads_nowhere"
    assert server.get(path)["items"] == [], "nothing is half added"
    add(server, site, main)
    add(server, site, old, redirect_to=main)
    said = refused(server, main, 409, redirect_to=old)
    assert old in said["detail"]
    assert "itself" in refused(server, main, redirect_to=main)["errors"]["redirect_to"]
    assert refused(server, old, 409, redirect_to="elsewhere.example.com")["type"] == "urn:homeport:leads_nowhere"
    assert "primary" in refused(server, old, primary=True)["errors"]["redirect_to"]
    said = problem(server.ask("DELETE", f"{path}/{main}"), 409)
    assert said["type"] == "urn:homeport:led_here" and old in said["detail"]
    assert server.ask("DELETE", f"{path}/{old}").status_code == 204
    assert server.ask("DELETE", f"{path}/{main}").status_code == 204


def test_only_visitors_from_the_list_come_in(server: Appliance, site: str) -> None:
    host = f"in.{site}.test"
    made = add(server, site, host, allow=["192.0.2.7/24", "2001:DB8::7"])
    assert made["allow"] == ["192.0.2.0/24", "2001:db8::7"]
    assert (visit(server, host).status_code, visit(server, host).text) == (403, serving.OUTSIDE)
    assert visit(server, host, **{"X-Forwarded-For": "192.0.2.7"}).status_code == 403, "nobody's word is believed"
    assert server.visit(site).text == "here", "its address under .localhost has a guard of its own"
    assert "10.0.0.0/8" in change(server, host, allow=["private"])["allow"]
    assert visit(server, host).text == "here"
    assert change(server, host, allow=[])["allow"] == []


def test_a_password_is_asked_for_at_once_and_never_shown(server: Appliance, site: str) -> None:
    host, other = f"pw.{site}.test", f"open.{site}.test"
    add(server, site, host)
    add(server, site, other)
    made = change(server, host, password="a word of its own")
    assert (made["password"], made["user"]) == (True, "visitor")
    basic = base64.b64encode(b"visitor:a word of its own").decode()
    assert visit(server, host).status_code == 401
    assert visit(server, host, Authorization=f"Basic {basic}").text == "here"
    assert visit(server, other).text == "here"
    change(server, host, password="another word of its own")
    assert visit(server, host, Authorization=f"Basic {basic}").status_code == 401, "the next one counts at once"
    assert change(server, host, password=None)["user"] == ""
    assert visit(server, host).text == "here"
    done = [one for one in server.get(f"/activity?q={host}")["items"] if one["verb"] == "url.update"]
    assert len(done) == 3 and "word of its own" not in str(done) and "$2b$" not in str(done)


def test_what_makes_no_sense_is_refused_in_words(server: Appliance, site: str) -> None:
    main, host = f"main.{site}.test", f"odd.{site}.test"
    add(server, site, main)
    add(server, site, host)
    senseless: list[tuple[dict[str, Any], str]] = [
        ({"redirect_status": 303}, "redirect_status"),
        ({"redirect_status": 200}, "redirect_status"),
        ({"redirect_to": "http://x"}, "redirect_to"),
        ({"redirect_to": "a b;{}"}, "redirect_to"),
        ({"allow": ["10.0.0.0/33"]}, "allow"),
        ({"allow": ["10.0.0.1; deny all"]}, "allow"),
        ({"allow": ["::ffff:10.0.0.0/104"]}, "allow"),
        ({"allow": [f"10.0.{number}.1" for number in range(101)]}, "allow"),
        ({"password": "short"}, "password"),
        ({"user": "me"}, "user"),
        ({"redirect_to": main, "allow": ["10.0.0.0/8"]}, "allow"),
        ({"redirect_to": main, "password": "long enough"}, "password"),
        ({"primary": "maybe"}, "primary"),
    ]
    for settings, field in senseless:
        assert field in refused(server, host, **settings)["errors"], settings
    said = problem(server.ask("PATCH", f"/urls/{host}", json={"host": "x.example.com"}), 422)
    assert said["errors"] == {"host": "There is no such field"}
    assert server.get(f"/urls/{host}")["redirect_to"] is None
    problem(server.ask("PATCH", "/urls/nowhere.example.com", json={"primary": True}), 404)
    problem(server.ask("GET", "/urls/nowhere.example.com"), 404)


def test_before_anything_is_live_it_is_kept_for_later(server: Appliance) -> None:
    server.project("later")
    path = f"/projects/later/{PRODUCTION}/urls"
    host = "later.example.com"
    assert server.ask("POST", path, json={"host": host, "allow": ["192.0.2.1"]}).status_code == 201
    assert server.ask("PATCH", f"/urls/{host}", json={"allow": ["192.0.2.2"]}).json()["status"] == "pending"
    server.deploy("later", {"index.html": "here"})
    assert visit(server, host).status_code == 403


def test_a_wildcard_takes_in_every_name_of_one_part_more(server: Appliance, site: str) -> None:
    base, name = f"preview.{site}.test", f"other-{site}"
    made = add(server, site, f"*.{base.upper()}")
    assert made["host"] == f"*.{base}"
    assert visit(server, f"pr-1.{base}").text == visit(server, f"PR-2.{base}").text == "here"
    assert visit(server, f"a.b.{base}").text != "here" and visit(server, base).text != "here"
    server.deploy(server.project(name), {"index.html": "exact"})
    add(server, name, f"pr-1.{base}")
    assert visit(server, f"pr-1.{base}").text == "exact", "an exact name comes first"
    assert visit(server, f"pr-2.{base}").text == "here"
    assert address(server, site).startswith(f"http://{site}.localhost:"), "a wildcard is no address"
    assert "wildcard" in refused(server, f"*.{base}", primary=True)["errors"]["primary"]
    assert change(server, f"*.{base}", allow=["192.0.2.1"])["allow"] == ["192.0.2.1"]
    assert visit(server, f"pr-2.{base}").status_code == 403
    path = f"/projects/{name}/{PRODUCTION}/urls"
    said = problem(server.ask("POST", path, json={"host": f"*.{base}"}), 409)
    assert f"{site}, production" in said["detail"]
    for wrong in ("*", "*.com", "*.*.example.com", "a.*.example.com", "*.localhost", "*a.example.com"):
        problem(server.ask("POST", path, json={"host": wrong}), 422)
    assert server.ask("DELETE", f"/projects/{site}/{PRODUCTION}/urls/*.{base}").status_code == 204
    assert visit(server, f"pr-2.{base}").text != "here"
