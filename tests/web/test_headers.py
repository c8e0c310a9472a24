"""What keeps a browser from harm is on every answer, good or bad."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from appliance.api.routes import routes as api_routes
from appliance.ui.routes import routes as ui_routes
from tests import inside
from tests.api.test_contract import problem
from tests.appliance import ROOT, Appliance

PATHS = sorted(
    {re.sub(r"\{\w+(:\w+)?\}", "x", one.path) for one in (*api_routes(), *ui_routes()) if "GET" in (one.methods or ())}  # type: ignore[attr-defined]
    - {"/events"}
)
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "manifest-src": "'self'",
}
SAVED = {"default-src": "'none'", "frame-ancestors": "'none'", "sandbox": ""}  # no page of ours
REST = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def check(headers: object) -> None:
    found = {name.lower(): value for name, value in headers.items()}  # type: ignore[attr-defined]
    policy = dict(part.strip().partition(" ")[::2] for part in found["content-security-policy"].split(";"))
    saved = found.get("content-disposition", "").startswith("attachment")
    assert policy == (SAVED if saved else POLICY)
    assert "unsafe" not in found["content-security-policy"]
    for name, value in REST.items():
        assert found[name] == value, name
    assert "camera=()" in found["permissions-policy"]
    assert re.fullmatch(r"[0-9a-z]{12,}", found["x-request-id"])
    assert "server" not in found and "x-powered-by" not in found
    assert "cache-control" in found


@pytest.mark.parametrize("path", PATHS)
def test_every_address(server: Appliance, path: str) -> None:
    for headers in ({}, {"Authorization": f"Bearer {server.key}"}, {"Accept": "text/html"}):
        answer = server.http.get(server.url + path, headers=headers)
        check(answer.headers)
        if not path.startswith("/static") and "download" not in path:
            assert answer.headers["cache-control"] == "no-store"


def test_every_kind_of_refusal(server: Appliance) -> None:
    answers = [
        server.ask("POST", "/projects", content=b"{"),
        server.ask("POST", "/projects", json={}),
        server.ask("PUT", "/projects"),
        server.ask("POST", "/projects", content=bytes(2 << 20)),
        server.ask("GET", "/nothing"),
        server.http.get(f"{server.url}/api/v1/me"),
        server.http.post(f"{server.url}/login", headers={"Sec-Fetch-Site": "cross-site"}),
        server.http.get(f"{server.url}/static/nothing.css"),
        server.http.get(f"{server.url}/static/app.css"),
        server.http.head(f"{server.url}/login"),
    ]
    assert [one.status_code for one in answers] == [400, 422, 405, 413, 404, 401, 403, 404, 200, 200]
    for answer in answers:
        check(answer.headers)


def test_what_people_uploaded_is_no_page_of_ours(server: Appliance) -> None:
    """Opened in a browser it could run nothing, even where that took it for a page."""
    server.project("attached")
    made = server.deploy("attached", {"index.html": "<script>alert(1)</script>"})
    answer = server.ask("GET", f"/bundles/{made['bundle']}/download")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    log = server.ask("GET", f"/deployments/{made['id']}/log")
    assert log.headers["content-type"].startswith("text/plain")
    check(log.headers)


def test_streams_too(server: Appliance) -> None:
    with server.http.stream("GET", f"{server.url}/events", headers={"Authorization": f"Bearer {server.key}"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        check(stream.headers)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    def fault(*_: object) -> int:
        raise ZeroDivisionError("S3NT1NEL")

    with inside.context(tmp_path / "data") as ctx, inside.listening(ctx):
        monkeypatch.setattr("appliance.store.projects.count", fault)
        yield f"http://127.0.0.1:{ctx.base.port}"


def test_a_fault_of_ours_is_a_problem_without_its_insides(broken: str) -> None:
    answer = httpx.get(f"{broken}/healthz")
    said = problem(answer, 500)
    check(answer.headers)
    assert "S3NT1NEL" not in answer.text and "ZeroDivision" not in answer.text and "Traceback" not in answer.text
    assert said["request_id"]


def test_where_it_leads_is_never_taken_from_the_request(server: Appliance) -> None:
    """A poisoned Host, or what a proxy that nobody trusts claims, is in no address that is followed."""
    poison = {
        "Host": "evil.example.com",
        "X-Forwarded-Host": "evil.example.com",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example.com",
        "Accept": "text/html",
    }
    for path in ("/", "/projects", "/setup", "/setup?token=x", "/logout", "/docs"):
        answer = server.http.get(server.url + path, headers=poison)
        assert "evil" not in answer.headers.get("location", ""), path
        assert "set-cookie" not in answer.headers or "evil" not in answer.headers["set-cookie"]
        assert not re.search(r"""(href|src|action|hx-\w+)=["']?[^"' >]*evil""", answer.text), path
    made = server.ask("POST", "/projects", json={"name": "poisoned"}, headers=poison)
    assert made.headers["location"] == "/api/v1/projects/poisoned"
    assert "evil" not in made.text


@pytest.mark.parametrize(
    "back", ["//evil.example.com", "https://evil.example.com", "/\\evil.example.com", "/\x09/evil", "evil"]
)
def test_after_signing_in_nobody_is_led_elsewhere(server: Appliance, back: str) -> None:
    from tests.appliance import EMAIL, PASSWORD

    form = {"email": EMAIL, "password": PASSWORD, "back": back}
    answer = server.http.post(f"{server.url}/login", data=form)
    server.http.cookies.clear()
    assert answer.headers["location"] == "/projects"


class Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[dict[str, str | None], list[dict[str, str | None]]]] = []
        self.scripts: list[dict[str, str | None]] = []
        self.loose: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append((given, []))
        if tag == "input" and self.forms:
            self.forms[-1][1].append(given)
        if tag == "script":
            self.scripts.append(given)
        self.loose += [name for name in given if re.fullmatch(r"on[a-z]{3,}|hx-on.*|style", name)]


TEMPLATES = sorted((ROOT / "appliance" / "templates").rglob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_secret_is_never_sent_in_an_address(template: Path) -> None:
    """Each form with a secret in it is sent by POST, and nothing in a page would need a weaker policy."""
    found = Forms()
    found.feed(template.read_text())
    for form, fields in found.forms:
        if any(field.get("type") == "password" or "token" in (field.get("name") or "") for field in fields):
            assert (form.get("method") or "").lower() == "post", template.name
    assert all(script.get("src") for script in found.scripts)
    assert found.loose == []
