"""What is wrong with a request is said in one shape, all of it at once."""

import json
import socket
from typing import Any

import pytest

from tests.api.test_contract import problem
from tests.appliance import Appliance


def test_every_wrong_field_is_named_at_once(server: Appliance) -> None:
    answer = server.ask("POST", "/keys", json={"expires_at": "tomorrow", "colour": "red", "size": 1})
    problem(answer, 422, name="Enter a name", expires_at="2027-01-31", colour="no such field", size="no such field")


TAKES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/login", {"email": "a@example.com", "password": "x"}),
    ("POST", "/keys", {"name": "x"}),
    ("POST", "/projects", {"name": "unknown-field"}),
    ("PATCH", "/projects/{p}", {"name": "unknown-field"}),
    ("POST", "/projects/{p}/environments", {"name": "unknown-field"}),
    ("PATCH", "/projects/{p}/environments/production", {}),
    ("POST", "/projects/{p}/environments/production/deployments", {"bundle": "0" * 64}),
    ("POST", "/projects/{p}/environments/production/rollback", {}),
    ("POST", "/projects/{p}/environments/production/promote", {"from": "staging"}),
    ("POST", "/projects/{p}/environments/production/urls", {"host": "unknown.example.com"}),
    ("PATCH", "/settings", {}),
]


@pytest.fixture(scope="module")
def project(server: Appliance) -> str:
    return server.project("problems")


@pytest.mark.parametrize(("method", "path", "body"), TAKES)
def test_unknown_fields_are_refused_everywhere(
    server: Appliance, project: str, method: str, path: str, body: dict[str, Any]
) -> None:
    path = path.format(p=project)
    answer = server.ask(method, path, json={**body, "surprise": 1})
    problem(answer, 422, surprise="There is no such")
    assert answer.json()["errors"].keys() == {"surprise"}
    for wrong in (b"[]", b"null", b'"name"', b"17"):
        kind = {"Content-Type": "application/json"}
        problem(server.ask(method, path, content=wrong, headers=kind), 422, body="JSON object")


@pytest.mark.parametrize(
    "body",
    [b"{", b"{'name': 'x'}", b"\xff\xfe\x00", b"[" * 200_000, b'{"name": ' + b"9" * 5000 + b"}", b"name=x"],
    ids=["cut off", "single quotes", "not text", "deep", "long number", "a form"],
)
def test_a_body_that_is_no_json_is_400(server: Appliance, body: bytes) -> None:
    said = problem(server.ask("POST", "/projects", content=body), 400)
    assert said["type"] == "urn:homeport:not_json"


@pytest.mark.parametrize("value", [1, 1.5, True, ["x"], {"x": "y"}])
def test_what_is_no_text_is_told_so(server: Appliance, value: object) -> None:
    problem(server.ask("POST", "/projects", json={"name": value}), 422, name="must be text")


def test_text_that_can_not_be_stored_is_refused(server: Appliance) -> None:
    half = json.dumps({"name": "half a \ud83d pair"})
    problem(server.ask("POST", "/keys", content=half), 422, name="character")
    login = json.dumps({"email": "a\udc00@example.com", "password": "\ud83d" * 12})
    answer = server.http.post(f"{server.url}/api/v1/login", content=login)
    problem(answer, 422, email="character", password="character")


@pytest.mark.parametrize("name", ["   ", "two\nlines", "\x1b[31mred", "tab\there", "x" * 81])
def test_the_name_of_a_key_is_one_line_of_text(server: Appliance, name: str) -> None:
    problem(server.ask("POST", "/keys", json={"name": name}), 422, name="")


@pytest.mark.parametrize(
    "moment", ["tomorrow", "2027-01-31", "2027-01-31T00:00:00", "2001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]
)
def test_a_moment_that_is_none_is_refused(server: Appliance, moment: str) -> None:
    problem(server.ask("POST", "/keys", json={"name": "x", "expires_at": moment}), 422, expires_at="")


def test_a_json_body_over_a_mebibyte_is_413(server: Appliance) -> None:
    problem(server.ask("POST", "/projects", content=b" " * (1 << 20) + b"{}"), 413)


def test_nothing_there_is_404(server: Appliance) -> None:
    for path in ("/nothing", "/projects/", "/projects/no-such", "/deployments/x/log", "/urls/x.example.com"):
        problem(server.ask("GET", path), 404)


def test_a_method_that_is_not_taken_is_405_and_says_which_are(server: Appliance, project: str) -> None:
    answer = server.ask("PUT", "/projects")
    problem(answer, 405)
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}
    answer = server.ask("POST", f"/projects/{project}")
    problem(answer, 405)
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "PATCH", "DELETE"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        (f"limit={'0' * 5000}1", "limit"),
        ("status=done", "status"),
    ],
)
def test_a_query_that_makes_no_sense_is_422(server: Appliance, query: str, field: str) -> None:
    assert problem(server.ask("GET", f"/deployments?{query}"), 422)["errors"].keys() == {field}


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "9" * 5000, "1.5"])
def test_a_cursor_that_is_none_of_ours_is_422(server: Appliance, cursor: str) -> None:
    problem(server.ask("GET", f"/activity?cursor={cursor}"), 422, cursor="did not come from Homeport")


@pytest.mark.parametrize("wait", ["x", "-1", "601", "nan", "inf", ""])
def test_a_wait_that_is_none_is_422(server: Appliance, project: str, wait: str) -> None:
    path = f"/projects/{project}/environments/production/rollback?wait={wait}"
    problem(server.ask("POST", path, json={}), 422, wait="0 to 600")


def test_a_body_that_breaks_off_is_no_fault_of_ours(fresh: Appliance) -> None:
    head = (
        f"POST /api/v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {fresh.key}\r\nContent-Length: 50\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", fresh.port)) as line:
        line.sendall(head.encode() + b'{"name":')
    fresh.get("/me")
    fresh.stop()
    assert "Traceback" not in "".join(fresh.output)
