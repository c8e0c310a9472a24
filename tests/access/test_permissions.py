"""Who may do what: asked of every route that there is."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from appliance.access.actor import Actor, nobody
from appliance.access.permissions import DECLARABLE, OF_THE_APPLIANCE, PERMISSIONS, PUBLIC, ROLES, SIGNED_IN, may
from appliance.api.routes import routes as api_routes
from appliance.errors import StartFailed
from appliance.ui.routes import routes as ui_routes
from appliance.web.routes import Declared, refuse_undeclared, route
from tests.appliance import Appliance


def declared(routes: object) -> list[Declared]:
    return [one for one in routes if isinstance(one, Declared)]  # type: ignore[attr-defined]


API, PAGES = declared(api_routes()), declared(ui_routes())
EVERY = [(one, method) for one in (*API, *PAGES) for method in sorted(one.methods or ())]
NAMES = [f"{method} {one.path}" for one, method in EVERY]
PLACE = re.compile(r"\{(project|deployment|host|sha256)\}")
OUTSIDER = "hp_outsider-outsider-outsider-outsider"


def address(server: Appliance, one: Declared) -> str:
    return server.url + re.sub(r"\{\w+(:\w+)?\}", "x", one.path)


def is_page(one: Declared) -> bool:
    return one in PAGES


@pytest.fixture(scope="module")
def outsider(server: Appliance) -> Iterator[str]:
    """Someone with an account and a key, and a role that may do nothing."""
    person = "0" * 20
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        db.execute("INSERT INTO people VALUES (?, 'outsider@example.com', '-', 'outsider', '2027-01-31')", [person])
        hashed = hashlib.sha256(OUTSIDER.encode()).hexdigest()
        row = ["1" * 20, person, "outsider", "hp_outsi", hashed, "2027-01-31", None, None, None]
        columns = "id, person_id, name, prefix, hash, created_at, expires_at, last_used_at, last_used_from"
        db.execute(f"INSERT INTO keys ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    yield OUTSIDER
    with sqlite3.connect(server.data / "homeport.db", timeout=20) as db:
        db.execute("DELETE FROM keys WHERE person_id = ?", [person])
        db.execute("DELETE FROM people WHERE id = ?", [person])
    db.close()


@pytest.mark.parametrize(("one", "method"), EVERY, ids=NAMES)
def test_whoever_is_signed_out_gets_nowhere(server: Appliance, one: Declared, method: str) -> None:
    """But to what is declared public. A browser is led to the sign-in page."""
    answer = server.http.request(method, address(server, one))
    if one.allow == PUBLIC:
        assert answer.status_code != 403
        return
    assert answer.status_code == 401
    if method != "HEAD":
        assert answer.json()["type"] == "urn:homeport:not_signed_in"
    if is_page(one):
        page = server.http.request(method, address(server, one), headers={"Accept": "text/html"})
        assert page.status_code == 303
        assert page.headers["location"].startswith("/login?back=%2F") or page.headers["location"].startswith(
            "/login?back=/"
        )


@pytest.mark.parametrize(("one", "method"), EVERY, ids=NAMES)
def test_whoever_has_no_permission_gets_nowhere(server: Appliance, outsider: str, one: Declared, method: str) -> None:
    headers = {"Authorization": f"Bearer {outsider}"}
    with server.http.stream(method, address(server, one), headers=headers) as answer:
        if answer.status_code >= 400:  # a stream of events would not end
            answer.read()
    if one.allow in PERMISSIONS and one.allow not in OF_THE_APPLIANCE and PLACE.search(one.path):
        assert answer.status_code == 404, "what may not be seen isn't there"
    elif one.allow in PERMISSIONS:
        assert answer.status_code == 403
        if method != "HEAD":
            assert PERMISSIONS[one.allow] in answer.json()["detail"]
    else:
        assert answer.status_code != 500
        assert answer.status_code != 401 or one.allow == PUBLIC, "it is no way to sign in"
        if answer.status_code == 403 and not is_page(one):
            assert answer.json()["type"].endswith((":session_only", ":no_session", ":confirm")), "a key is no person"


def test_the_outsider_knows_what_they_may(server: Appliance, outsider: str) -> None:
    me = server.http.get(f"{server.url}/api/v1/me", headers={"Authorization": f"Bearer {outsider}"}).json()
    assert (me["role"], me["permissions"]) == ("outsider", [])


def test_every_route_declares_a_permission_that_there_is() -> None:
    for one in (*api_routes(), *ui_routes()):
        assert isinstance(one, Declared)
        assert one.allow in DECLARABLE
        assert len((one.methods or set()) - {"HEAD"}) == 1, "one method, one permission"


def test_what_is_public_is_a_short_list() -> None:
    public = {f"{method} {one.path}" for one, method in EVERY if one.allow == PUBLIC and method != "HEAD"}
    assert public == {
        "GET /api/v1/openapi.json",
        "GET /forgot",
        "GET /healthz",
        "GET /invitation",
        "GET /join",
        "GET /login",
        "GET /login/second",
        "GET /login/with/{provider}",
        "GET /login/with/{provider}/back",
        "GET /reset",
        "GET /setup",
        "GET /static/{name}",
        "POST /api/v1/device",
        "POST /api/v1/device/token",
        "POST /api/v1/invitations/accept",
        "POST /api/v1/invitations/ask",
        "POST /api/v1/login",
        "POST /api/v1/login/passkey",
        "POST /api/v1/login/passkey/options",
        "POST /api/v1/login/second",
        "POST /api/v1/login/second/options",
        "POST /api/v1/password/forgotten",
        "POST /api/v1/password/reset",
        "POST /api/v1/setup",
        "POST /forgot",
        "POST /invitation",
        "POST /join",
        "POST /login",
        "POST /login/cancel",
        "POST /login/passkey",
        "POST /login/second",
        "POST /reset",
        "POST /setup",
        "POST /setup/restore",
    }


def test_whatever_changes_something_takes_a_permission_of_its_own() -> None:
    loose = {
        f"{method} {one.path}" for one, method in EVERY if method not in ("GET", "HEAD") and one.allow == SIGNED_IN
    }
    assert loose == {  # what is one's own
        "DELETE /api/v1/me",
        "DELETE /api/v1/me/identities/{identity}",
        "POST /account/connect/{provider}",
        "POST /account/identities/{identity}/remove",
        "POST /api/v1/logout",
        "POST /api/v1/me/confirm",
        "POST /api/v1/me/confirm/options",
        "POST /confirm",
        "POST /leave",
        "POST /logout",
        "POST /theme",
    }
    reading = {f"{method} {one.path}" for one, method in EVERY if method in ("POST", "PATCH", "DELETE", "PUT")} & {
        f"{method} {one.path}" for one, method in EVERY if one.allow.endswith(".read")
    }
    assert reading <= {"POST /settings/nginx/test"}


def answer(request: Request) -> Response:
    return PlainTextResponse("x")


async def later(request: Request) -> Response:
    return PlainTextResponse("x")


@pytest.mark.parametrize(
    "loose",
    [
        Route("/loose", answer),
        Mount("/sub", routes=[Route("/loose", answer)]),
        Mount("/sub", routes=[Mount("/deeper", routes=[route("/good", answer, allow=PUBLIC), Route("/x", later)])]),
        route("/unheard-of", answer, allow="everything"),
        route("/empty", later, allow=""),
    ],
)
def test_the_start_is_refused_where_a_route_does_not_say(loose: BaseRoute) -> None:
    with pytest.raises(StartFailed) as why:
        refuse_undeclared([*api_routes(), loose, *ui_routes()])
    assert why.value.code == "undeclared_route"
    assert "does not say who may use it" in why.value.detail


def test_an_app_that_is_not_declared_can_not_be_mounted() -> None:
    """A mount hides routes; one of a whole application would hide them for good."""
    with pytest.raises(StartFailed):
        refuse_undeclared([Mount("/app", app=later)])  # type: ignore[arg-type]


def test_roles_hold_permissions_that_there_are() -> None:
    for allowed in ROLES.values():
        assert allowed <= PERMISSIONS.keys()
    owner = Actor("person", "x", "owner", "1")
    assert all(may(owner, one) for one in DECLARABLE)
    assert [one for one in DECLARABLE if may(nobody(), one)] == [PUBLIC]
    assert not may(Actor("person", "x", "no such role", "1"), "projects.read")
    assert not may(owner, "no.such.permission")


def test_a_hidden_path_parameter_changes_nothing(server: Appliance) -> None:
    """No second slash, dot or escape leads around the route that was declared."""
    for path in (
        "//api/v1/projects",
        "/api/v1/./projects",
        "/api//v1/projects",
        "/api/v1/projects/%2e%2e/keys",
        "/x/../metrics",
    ):
        raw = httpx.Request("GET", httpx.URL(server.url, raw_path=path.encode()))
        assert server.http.send(raw).status_code in {401, 404}, path
