"""How a site answers through a real NGINX: at once for what stands before it, with a deployment for everything else."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.host import Host
from tests.servers import Answer, eventually

SCRIPT, NEXT = "assets/index-BfQ2nV7x.js", "assets/index-DqAx7k2z.js"
APP = {"index.html": "<h1>app</h1>", "about.html": "about", SCRIPT: "one()"}
NAME = "www.example.com"
pytestmark = [pytest.mark.nginx, pytest.mark.slow]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("host")) as running:
        running.server.project("blog")
        running.server.deploy("blog", APP)
        assert running.add("blog", NAME)["status"] == "active"
        yield running


def place(host: Host, more: str, method: str = "GET", **body: Any) -> Any:
    path = f"/projects/blog/environments/production/{more}"
    answer = host.server.ask(method, path, **({"json": body} if method != "GET" else {}))
    assert answer.status_code < 300, answer.text
    return answer.json()


def ask(host: Host, path: str = "/", **headers: str) -> Answer:
    return host.nginx.ask(path, NAME, **headers)


def test_rules_come_and_go_with_their_deployment(host: Host) -> None:
    host.server.deploy("blog", APP)
    assert (ask(host, "/about").body, ask(host, "/settings").status) == (b"about", 404)
    place(host, "site", "PUT", fallback=True, clean_urls=False)
    assert ask(host, "/about").body == b"about", "what is live keeps what it froze"
    host.server.deploy("blog", {**APP, "_redirects": "/old /new 302", "_headers": "/*\n  X-Frame-Options: DENY"})
    assert (ask(host, "/about").body, ask(host, "/settings").body) == (b"<h1>app</h1>", b"<h1>app</h1>")
    assert (ask(host, "/old").status, ask(host, "/old").headers["location"]) == (302, "/new")
    assert ask(host).headers["x-frame-options"] == "DENY"
    place(host, "rollback?wait=30", "POST")
    assert (ask(host, "/about").body, ask(host, "/settings").status) == (b"about", 404)
    assert (ask(host, "/old").status, "x-frame-options" in ask(host).headers) == (404, False)


def test_a_deploy_without_other_rules_needs_no_reload(host: Host) -> None:
    place(host, "site", "PUT")
    host.server.deploy("blog", APP)
    before = host.nginx.reloads
    host.server.deploy("blog", {"index.html": "<h1>next</h1>", NEXT: "two()"})
    assert (ask(host).body, ask(host, f"/{SCRIPT}").body) == (b"<h1>next</h1>", b"one()")
    assert host.nginx.reloads == before


def test_a_password_and_the_maintenance_page_count_within_moments(host: Host) -> None:
    known = {"authorization": "Basic " + base64.b64encode(b"visitor:open sesame").decode()}
    host.server.deploy("blog", APP)
    place(host, "guard", "PATCH", password="open sesame")
    eventually(lambda: ask(host).status == 401)
    assert ask(host, "/about", **known).status == 200
    host.server.deploy("blog", {**APP, "index.html": "<h1>behind it</h1>"})
    assert (ask(host, **known).body, ask(host).status) == (b"<h1>behind it</h1>", 401)
    place(host, "guard", "PATCH", maintenance="Back at noon.")
    eventually(lambda: ask(host, **known).status == 503)
    eventually(lambda: b"Back at noon." in ask(host).body)
    place(host, "guard", "PATCH", maintenance=None, password=None)
    eventually(lambda: ask(host).status == 200)
    assert host.server.get("/urls?q=www.example.com")["items"][0]["status"] == "active"
