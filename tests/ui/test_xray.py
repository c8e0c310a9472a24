"""The X-ray on the pages, as a browser without script gets them."""

from contextlib import closing

import pytest

from tests.appliance import Appliance, zipped
from tests.ui.pages import Parsed, owner_of

BROKEN = {"index.html": '<a href="/gone/">Gone</a><script src="<b>.js"></script>', "prod.env": "KEY=1"}


@pytest.fixture(scope="module")
def made(server: Appliance) -> dict[str, str]:
    server.project("xray-pages")
    first = server.deploy("xray-pages", {"index.html": "<h1>Hello</h1>", "extra.html": "x"})
    second = server.deploy("xray-pages", BROKEN)
    for one in (first, second):
        server.get(f"/deployments/{one['id']}/xray?wait=30")
    return {"first": first["id"], "second": second["id"]}


def test_a_deployment_s_page_says_what_was_found(server: Appliance, made: dict[str, str]) -> None:
    with closing(owner_of(server)) as browser:
        page = browser.get(f"/deployments/{made['second']}").text
        assert "3 warnings" in page
        assert "Warning: 1 link leads nowhere." in page
        assert "<code>/gone/ on index.html</code>" in page
        assert "<code>&lt;b&gt;.js on index.html</code>" in page
        assert "1 new file, 1 changed, 1 gone" in page
        assert f"/deployments/{made['second']}/compare?with={made['first']}" in set(hrefs(page))
        assert "all 2 files are new" in browser.get(f"/deployments/{made['first']}").text


def test_two_side_by_side(server: Appliance, made: dict[str, str]) -> None:
    with closing(owner_of(server)) as browser:
        page = browser.get(f"/deployments/{made['first']}/compare?with={made['second']}").text
        assert "<h1>#1 and #2 side by side</h1>" in page
        for words in ("New: 1 file", "Changed: 1 file", "Gone: 1 file", "Found in #2 only"):
            assert words in page
        assert browser.get(f"/deployments/{made['first']}/compare").status_code == 200
        assert (
            "The files are the same." in browser.get(f"/deployments/{made['first']}/compare?with={made['first']}").text
        )
        assert browser.get(f"/deployments/{made['first']}/compare?with=nope").status_code == 404


def test_what_stops_a_deployment_is_chosen_and_stops_it(server: Appliance) -> None:
    server.project("xray-strict")
    path = "/projects/xray-strict/environments/production/xray"
    with closing(owner_of(server)) as browser:
        assert 'name="broken_links"' in browser.get(path).text
        assert browser.post(path, data={"broken_links": "true", "nonsense": "true"}).status_code == 303
        chosen = [one["name"] for one in Parsed(browser.get(path).text).all("input") if "checked" in one]
        assert chosen == ["broken_links"]
        refused = server.send("xray-strict", _zip())
        assert refused.status_code == 422
        assert refused.json()["type"] == "urn:homeport:xray"
        page = browser.get(f"/deployments/{refused.json()['deployment']['id']}").text
        assert "Failed at inspect" in page
        assert "<code>/gone/ on index.html</code>" in page
        browser.post(path, data={})
        assert server.send("xray-strict", _zip()).status_code == 201


def hrefs(page: str) -> list[str]:
    return [one.get("href", "") for one in Parsed(page).all("a")]


def _zip() -> bytes:
    return zipped({"index.html": '<a href="/gone/">Gone</a>'})
