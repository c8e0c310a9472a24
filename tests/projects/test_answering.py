"""How an environment answers, as its owner sets it and as visitors then see it."""

import base64
from typing import Any

import httpx
import pytest

from tests.appliance import Appliance

SCRIPT = "assets/index-BfQ2nV7x.js"
NEXT = "assets/index-DqAx7k2z.js"
APP = {"index.html": "<h1>app</h1>", SCRIPT: "one()"}


def site(server: Appliance, project: str, **settings: Any) -> Any:
    answer = server.ask("PUT", f"/projects/{project}/environments/production/site", json=settings)
    assert answer.status_code == 200, answer.text
    return answer.json()


def guard(server: Appliance, project: str, **changes: Any) -> httpx.Response:
    return server.ask("PATCH", f"/projects/{project}/environments/production/guard", json=changes)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_new_environment_has_clean_urls_and_no_fallback(server: Appliance) -> None:
    server.project("fresh-site")
    found = server.get("/projects/fresh-site/environments/production/site")
    assert (found["clean_urls"], found["fallback"], found["bridge_hours"]) == (True, False, 72)
    server.deploy("fresh-site", {"index.html": "home", "about.html": "about"})
    assert server.visit("fresh-site", "/about").text == "about"
    moved = server.visit("fresh-site", "/about/?a=1", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (301, "/about?a=1")
    assert server.visit("fresh-site", "/settings").status_code == 404


def test_settings_count_from_the_next_deployment_on_and_a_rollback_brings_the_old_ones_back(server: Appliance) -> None:
    server.project("frozen-rules")
    first = server.deploy("frozen-rules", APP)
    site(server, "frozen-rules", fallback=True, pages="public, max-age=60")
    assert server.visit("frozen-rules", "/settings").status_code == 404, "what is live stays as it is"
    server.deploy("frozen-rules", {**APP, "new.txt": "new"})
    found = server.visit("frozen-rules", "/settings")
    assert (found.status_code, found.text) == (200, "<h1>app</h1>")
    assert found.headers["cache-control"] == "public, max-age=60"
    missing = server.visit("frozen-rules", "/assets/index-CcQ4nV9z.js")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    answer = server.ask(
        "POST", "/projects/frozen-rules/environments/production/rollback?wait=30", json={"to": first["id"]}
    )
    assert answer.status_code == 201, answer.text
    assert server.visit("frozen-rules", "/settings").status_code == 404


def test_what_a_choice_does_is_seen_before_it_is_made(server: Appliance) -> None:
    server.project("seen-before")
    server.deploy("seen-before", APP)
    path = "/projects/seen-before/environments/production/site/preview?path=/settings/me"
    answer = server.ask("POST", path, json={"fallback": True})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["single_page"] is True
    told = {one["path"]: (one["now"], one["then"]) for one in found["answers"]}
    assert told["/settings/me"] == ("404, a page of Homeport’s own", "index.html, no-cache")
    assert told[f"/{SCRIPT}"][0] == f"{SCRIPT}, public, max-age=31536000, immutable"
    assert server.get("/projects/seen-before/environments/production/site")["fallback"] is False
    server.project("nothing-yet")
    empty = server.ask("POST", "/projects/nothing-yet/environments/production/site/preview", json={})
    assert empty.json() == {"answers": [], "single_page": False, "ignored": []}


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"pages": "no-cache; evil"}, "pages"),
        ({"pages": 'x"\r\nSet-Cookie: a=b'}, "pages"),
        ({"fingerprinted": "max-age=$x"}, "fingerprinted"),
        ({"bridge_hours": -1}, "bridge_hours"),
        ({"bridge_hours": 3000}, "bridge_hours"),
        ({"bridge_hours": True}, "bridge_hours"),
        ({"fallback": "perhaps"}, "fallback"),
        ({"block": "A B"}, "block"),
        ({"block": [1]}, "block"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_can_not_be(server: Appliance, settings: dict[str, Any], field: str) -> None:
    if server.ask("GET", "/projects/odd-settings").status_code == 404:
        server.project("odd-settings")
    answer = server.ask("PUT", "/projects/odd-settings/environments/production/site", json=settings)
    assert answer.status_code == 422
    assert field in answer.json()["errors"]


def test_redirects_and_headers_of_a_bundle(server: Appliance) -> None:
    server.project("with-rules")
    made = server.deploy("with-rules", {
        "index.html": "home",
        "gone.html": "gone for good",
        "_redirects": "/old/* /new/:splat 302\n/shop /gone 410\nbad line\n/x https://example.com/ 200\n",
        "_headers": "/*\n  X-Frame-Options: DENY\n  Connection: close\n",
    })  # fmt: skip
    moved = server.visit("with-rules", "/old/a%20b?q=1", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (302, "/new/a%20b?q=1")
    gone = server.visit("with-rules", "/shop")
    assert (gone.status_code, gone.text, gone.headers["cache-control"]) == (410, "gone for good", "no-store")
    assert server.visit("with-rules").headers["x-frame-options"] == "DENY"
    assert {server.visit("with-rules", path).status_code for path in ("/_redirects", "/_headers")} == {404}
    log = server.log(made["id"])
    assert "Warning: _redirects line 3: " in log
    assert "Warning: _redirects line 4: With 200 a file of this site is shown" in log
    assert "Warning: _headers line 3: Connection is given by the server alone." in log


def test_files_of_an_earlier_release_stay_for_those_who_have_its_page(server: Appliance) -> None:
    server.project("bridged")
    server.deploy("bridged", APP)
    server.deploy("bridged", {"index.html": "<h1>next</h1>", NEXT: "two()"})
    found = server.visit("bridged", f"/{SCRIPT}")
    assert (found.status_code, found.text) == (200, "one()")
    assert "immutable" in found.headers["cache-control"]
    assert server.visit("bridged", "/assets/index-CcQ4nV9z.js").status_code == 404
    site(server, "bridged", bridge_hours=0)
    server.deploy("bridged", {"index.html": "<h1>last</h1>"})
    assert server.visit("bridged", f"/{SCRIPT}").status_code == 404
    assert server.visit("bridged", f"/{NEXT}").status_code == 404


def test_a_password_counts_at_once_and_deployments_still_go_live(server: Appliance) -> None:
    server.project("guarded")
    server.deploy("guarded", APP)
    answer = guard(server, "guarded", password="open sesame")
    assert answer.json() == {"user": "visitor", "password": True, "maintenance": ""}
    asked = server.visit("guarded", "/anything")
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic realm=")
    assert asked.headers["cache-control"] == "no-store"
    for wrong in (basic("visitor", "open sesam"), basic("other", "open sesame"), {"Authorization": "Basic ***"}):
        assert server.visit("guarded", headers=wrong).status_code == 401
    let_in = server.visit("guarded", f"/{SCRIPT}", headers=basic("visitor", "open sesame"))
    assert (let_in.text, let_in.headers["cache-control"]) == ("one()", "private, no-cache")
    server.deploy("guarded", {**APP, "index.html": "<h1>newer</h1>"})
    assert server.visit("guarded", headers=basic("visitor", "open sesame")).text == "<h1>newer</h1>"
    assert guard(server, "guarded", password=None).json()["password"] is False
    assert server.visit("guarded").text == "<h1>newer</h1>"
    said = server.get("/activity?limit=20")["items"]
    assert not [one for one in said if "sesame" in str(one)]
    assert {"environment.guarded", "environment.unguarded"} <= {one["verb"] for one in said}


def test_the_maintenance_page_stands_before_everything(server: Appliance) -> None:
    server.project("under-repair")
    server.deploy("under-repair", APP)
    guard(server, "under-repair", maintenance='Back at <noon> & "later"')
    for path in ("/", f"/{SCRIPT}", "/missing", "/.git/config"):
        found = server.visit("under-repair", path)
        assert (found.status_code, found.headers["cache-control"]) == (503, "no-store")
        assert "Back at &lt;noon&gt; &amp; &#34;later&#34;" in found.text
        assert int(found.headers["retry-after"]) > 0
    server.deploy("under-repair", {**APP, "index.html": "<h1>mended</h1>"})
    assert server.visit("under-repair").status_code == 503
    assert guard(server, "under-repair", maintenance="").status_code == 200
    assert server.visit("under-repair").text == "<h1>mended</h1>"


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"password": "short"}, 422, "password"),
        ({"password": "x" * 73}, 422, "password"),
        ({"password": "new\nline and more"}, 422, "password"),
        ({"user": "a:b", "password": "long enough"}, 422, "user"),
        ({"user": "someone"}, 409, ""),
        ({"maintenance": "x" * 501}, 422, "maintenance"),
        ({"maintenance": "x\u202ey"}, 422, "maintenance"),
        ({"maintenance": 5}, 422, "maintenance"),
        ({"door": "open"}, 422, "door"),
    ],
)
def test_guards_that_can_not_be(server: Appliance, changes: dict[str, Any], status: int, field: str) -> None:
    if server.ask("GET", "/projects/odd-guards").status_code == 404:
        server.project("odd-guards")
    answer = guard(server, "odd-guards", **changes)
    assert answer.status_code == status
    assert not field or field in answer.json()["errors"]
