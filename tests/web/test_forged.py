"""A page of another site can't act here in the name of whoever is signed in."""

import socket

import pytest

from tests.api.test_contract import problem
from tests.appliance import EMAIL, PASSWORD, Appliance

COOKIE = "homeport_session"


@pytest.fixture(scope="module")
def cookie(server: Appliance) -> str:
    answer = server.http.post(f"{server.url}/login", data={"email": EMAIL, "password": PASSWORD})
    server.http.cookies.clear()
    return str(answer.headers["set-cookie"].partition(";")[0])


def same(server: Appliance) -> str:
    return f"http://127.0.0.1:{server.port}"


TABLE: list[tuple[dict[str, str], bool]] = [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "SAME-ORIGIN"}, False),
    ({"Sec-Fetch-Site": ""}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "{same}"}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example.com"}, True),
    ({"Origin": "{same}"}, True),
    ({"Origin": "https://evil.example.com"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "http://127.0.0.1"}, False),
    ({"Origin": "{same}.evil.example.com"}, False),
    ({"Origin": "http://evil.example.com#{same}"}, False),
    ({"Origin": "http://{same}@evil.example.com"}, False),
    ({"Referer": "https://evil.example.com/"}, True),
    ({}, True),
]


@pytest.mark.parametrize(("headers", "let_in"), TABLE, ids=[str(headers) for headers, _ in TABLE])
def test_what_a_browser_says_of_where_it_comes_from(
    server: Appliance, cookie: str, headers: dict[str, str], let_in: bool
) -> None:
    sent = {"Cookie": cookie, **{name: value.format(same=same(server)) for name, value in headers.items()}}
    answer = server.http.post(f"{server.url}/api/v1/keys", json={"nonsense": 1}, headers=sent)
    if let_in:
        problem(answer, 422, nonsense="no such field")
    else:
        assert problem(answer, 403)["type"] == "urn:homeport:cross_site"


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
def test_every_method_that_changes_something_is_guarded(server: Appliance, cookie: str, method: str) -> None:
    sent = {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}
    for path in ("/api/v1/projects", "/api/v1/projects/x", "/projects", "/logout", "/nothing/there"):
        problem(server.http.request(method, server.url + path, headers=sent), 403)


@pytest.mark.parametrize("path", ["/login", "/api/v1/login", "/setup", "/api/v1/setup"])
def test_nobody_is_signed_in_by_another_site(server: Appliance, path: str) -> None:
    answer = server.http.post(server.url + path, data={"email": EMAIL}, headers={"Sec-Fetch-Site": "cross-site"})
    assert problem(answer, 403)["type"] == "urn:homeport:cross_site"


def test_a_key_is_sent_on_purpose(server: Appliance) -> None:
    """No page can have a browser send it, so where it comes from says nothing."""
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.com"}):
        problem(server.ask("POST", "/keys", json={"nonsense": 1}, headers=headers), 422)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer  ", "bearer \t", "Basic x", ""])
def test_an_empty_token_opens_no_way_around(server: Appliance, cookie: str, header: str) -> None:
    lines = ("POST /api/v1/keys HTTP/1.1", "Host: x", f"Cookie: {cookie}", f"Authorization: {header}")
    more = ("Sec-Fetch-Site: cross-site", "Content-Length: 2", "Connection: close")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall("\r\n".join((*lines, *more)).encode() + b"\r\n\r\n{}")
        assert line.recv(65536).startswith(b"HTTP/1.1 403 ")


def test_a_token_beside_a_cookie_is_the_one_that_counts(server: Appliance, cookie: str) -> None:
    sent = {"Cookie": cookie, "Sec-Fetch-Site": "cross-site", "Authorization": "Bearer hp_wrong"}
    problem(server.http.post(f"{server.url}/api/v1/keys", json={"nonsense": 1}, headers=sent), 401)


def test_looking_is_free(server: Appliance, cookie: str) -> None:
    """A link on another site leads here signed in; it shows, and changes nothing."""
    sent = {"Cookie": cookie, "Sec-Fetch-Site": "cross-site", "Accept": "text/html"}
    assert server.http.get(f"{server.url}/projects", headers=sent).status_code == 200
    before = server.get("/projects?limit=200")
    for path in ("/projects/new?name=x", "/api/v1/projects?name=x", "/deploy?target=x", "/logout"):
        server.http.get(server.url + path, headers=sent)
    assert server.get("/projects?limit=200") == before
    assert server.http.get(f"{server.url}/api/v1/me", headers={"Cookie": cookie}).status_code == 200


def test_no_other_site_may_read_answers(server: Appliance, cookie: str) -> None:
    for method, path in (("GET", "/api/v1/projects"), ("OPTIONS", "/api/v1/projects"), ("GET", "/healthz")):
        headers = {"Cookie": cookie, "Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST"}
        answer = server.http.request(method, server.url + path, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]
