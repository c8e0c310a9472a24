"""Every deployment has an address of its own, for as long as its release is kept."""

from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.appliance import Appliance, zipped
from tests.ui.pages import owner_of

PLACE = "/projects/{}/environments/production"


def visit(server: Appliance, deployment: Any, path: str = "/", **more: Any) -> httpx.Response:
    """By the address that it says it has."""
    host = urlsplit(deployment["permanent"]).netloc
    return server.http.get(f"{server.url}{path}", headers={"Host": host, **more.pop("headers", {})}, **more)


def test_each_deployment_answers_at_its_own_address_whatever_is_live(server: Appliance) -> None:
    server.project("perma")
    one, two = (server.deploy("perma", {"index.html": word}) for word in ("one", "two"))
    assert one["permanent"] == f"http://{one['id']}.perma.localhost:{server.port}/"
    assert (visit(server, one).text, visit(server, two).text) == ("one", "two")
    assert visit(server, one).headers["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in server.visit("perma").headers
    assert [item["permanent"] for item in server.get(f"{PLACE.format('perma')}/deployments")["items"]] == [
        two["permanent"],
        one["permanent"],
    ]
    shouted = urlsplit(one["permanent"]).netloc.upper()
    assert server.http.get(server.url, headers={"Host": shouted}).text == "one"


def test_it_answers_by_the_rules_that_were_frozen_with_it(server: Appliance) -> None:
    server.project("perma-rules")
    one = server.deploy("perma-rules", {"index.html": "one", "_redirects": "/old /first 302\n"})
    two = server.deploy("perma-rules", {"index.html": "two", "_redirects": "/old /second 302\n"})
    assert visit(server, one, "/old").headers["location"].endswith("/first")
    assert visit(server, two, "/old").headers["location"].endswith("/second")


def test_the_password_of_its_environment_stands_before_it(server: Appliance) -> None:
    server.project("perma-closed")
    one = server.deploy("perma-closed", {"index.html": "one"})
    server.deploy("perma-closed", {"index.html": "two"})
    path = f"{PLACE.format('perma-closed')}/guard"
    set_ = server.ask("PATCH", path, json={"user": "guest", "password": "come in please"})
    assert set_.status_code == 200, set_.text
    assert visit(server, one).status_code == 401
    assert visit(server, one, auth=("guest", "come in please")).text == "one"


def test_only_under_its_own_project_and_only_what_went_live(server: Appliance) -> None:
    server.project("perma-mine")
    server.project("perma-other")
    one = server.deploy("perma-mine", {"index.html": "one"})
    assert server.visit(f"{one['id']}.perma-other").status_code == 404
    assert server.visit("cr5r00000000000000000.perma-mine").status_code == 404
    bad = server.send("perma-mine", zipped({"index.html": "x"})[:-30])
    assert bad.status_code == 422
    held = server.send("perma-mine", zipped({"index.html": "y"}), wait=None).json()
    assert server.get(f"/deployments/{held['id']}")["permanent"] in (
        None,
        f"http://{held['id']}.perma-mine.localhost:{server.port}/",
    )


def test_no_environment_is_called_like_a_deployment(server: Appliance) -> None:
    server.project("perma-names")
    for name in ("c" * 20, "cr5r9bykanv12wjmybcx"):
        answer = server.ask("POST", "/projects/perma-names/environments", json={"name": name})
        assert answer.status_code == 422 and "Deployments are called like this" in answer.json()["errors"]["name"]
    assert server.ask("POST", "/projects/perma-names/environments", json={"name": "l" * 20}).status_code == 201
    renamed = server.ask("PATCH", PLACE.format("perma-names"), json={"name": "c" * 20})
    assert renamed.status_code == 422


def test_it_ends_with_its_release_and_the_page_says_what_to_do(fresh: Appliance) -> None:
    server = fresh
    server.ask("PATCH", "/settings", json={"releases_kept": "1"})
    server.project("blog")
    made = [server.deploy("blog", {"index.html": f"{number}"}) for number in range(3)]
    first = server.get(f"/deployments/{made[0]['id']}")
    assert first["permanent"] is None
    assert visit(server, made[0]).status_code == 404
    with closing(owner_of(server)) as owner:
        page = owner.get(f"/deployments/{first['id']}").text
        assert "The release of this deployment was removed" in page and "Deploy again" in page
        assert owner.post(f"/deployments/{first['id']}/again").status_code == 303
        assert "Its bundle is kept" not in owner.get(f"/deployments/{made[2]['id']}").text


def test_under_a_domain_for_deployments(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data", HOMEPORT_NGINX_DEPLOYMENTS="deploys.example.com") as server:
        server.project("blog")
        one = server.deploy("blog", {"index.html": "one"})
        server.deploy("blog", {"index.html": "two"})
        assert one["permanent"] == f"http://{one['id']}.blog.localhost:{server.port}/", "NGINX is left alone here"
        assert visit(server, one).text == "one"
        under = server.http.get(server.url, headers={"Host": f"{one['id']}.deploys.example.com"})
        assert under.text == "one" and under.headers["x-robots-tag"] == "noindex"
        for name in ("www", "x" * 20, "a.b"):
            answer = server.http.get(f"{server.url}/login", headers={"Host": f"{name}.deploys.example.com"})
            assert answer.status_code == 404 and "Homeport" not in answer.text


@pytest.mark.parametrize("text", ["example", "*.example.com", "http://example.com", "-a.example.com", "a b.com"])
def test_a_domain_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AssertionError, match="HOMEPORT_NGINX_DEPLOYMENTS"):
        Appliance(tmp_path / "data", HOMEPORT_NGINX_DEPLOYMENTS=text).start()
