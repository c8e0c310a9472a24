"""Every list comes in pages that neither repeat nor lose anything."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.test_contract import problem
from tests.appliance import Appliance


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One with a handful of everything."""
    with Appliance(tmp_path_factory.mktemp("full") / "data") as running:
        for number in range(7):
            running.project(f"list-{number}")
            running.ask("POST", "/keys", json={"name": f"key {number}"})
            running.ask("POST", "/projects/list-0/environments", json={"name": f"e{number}"})
            host = {"host": f"w{number}.example.com"}
            running.ask("POST", "/projects/list-0/environments/production/urls", json=host)
        made = running.deploy("list-0", {"index.html": "x"})
        path = "/projects/list-0/environments/production/deployments?wait=30"
        for _ in range(6):
            running.ask("POST", path, json={"bundle": made["bundle"]})
        yield running


LISTS = {
    "/projects": "name",
    "/keys": "id",
    "/deployments": "id",
    "/projects/list-0/environments": "name",
    "/projects/list-0/environments/production/deployments": "id",
    "/projects/list-0/environments/production/urls": "host",
    "/urls": "host",
    "/activity": "id",
}


def walk(server: Appliance, path: str, limit: int) -> Iterator[list[Any]]:
    cursor = ""
    while True:
        page = server.get(path, params={"limit": limit, **({"cursor": cursor} if cursor else {})})
        assert page.keys() == {"items", "next"}
        assert len(page["items"]) <= limit
        yield page["items"]
        if page["next"] is None:
            return
        assert isinstance(page["next"], str) and len(page["items"]) == limit
        cursor = page["next"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 3, 7, 200])
def test_a_walk_by_cursor_sees_everything_once(full: Appliance, path: str, limit: int) -> None:
    key = LISTS[path]
    whole = [one[key] for one in full.get(path, params={"limit": 200})["items"]]
    assert len(whole) >= 7 and len(set(whole)) == len(whole)
    pages = list(walk(full, path, limit))
    assert [one[key] for page in pages for one in page] == whole
    assert all(pages), "no empty page at the end"


@pytest.mark.parametrize("path", LISTS)
def test_a_limit_that_is_none_is_refused(full: Appliance, path: str) -> None:
    problem(full.ask("GET", f"{path}?limit=0"), 422, limit="1 to 200")
    problem(full.ask("GET", f"{path}?limit=201"), 422, limit="1 to 200")


@pytest.mark.parametrize("path", ["/deployments", "/activity", "/keys"])
def test_newest_first(full: Appliance, path: str) -> None:
    ids = [one["id"] for one in full.get(path, params={"limit": 200})["items"]]
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize("path", ["/deployments", "/activity"])
def test_what_is_added_meanwhile_disturbs_no_walk(full: Appliance, path: str) -> None:
    before = [one["id"] for one in full.get(path, params={"limit": 200})["items"]]
    walked = walk(full, path, 2)
    seen = [one["id"] for one in next(walked)]
    full.ask("POST", "/projects/list-0/environments/production/deployments?wait=30", json={"bundle": bundle(full)})
    seen += [one["id"] for page in walked for one in page]
    assert seen == before


def test_fifty_unless_asked_otherwise(full: Appliance) -> None:
    while len(full.get("/activity", params={"limit": 200})["items"]) <= 51:
        full.ask("POST", "/keys", json={"name": "one more"})
    assert len(full.get("/activity")["items"]) == 50


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("/projects?q=list-3", ["list-3"]),
        ("/projects?q=IST-3", ["list-3"]),
        ("/projects?q=%25", []),
        ("/projects?q=_", []),
        ("/projects?q=list\\", []),
        ("/projects?q='%20OR%201=1", []),
        ("/urls?q=w3", ["w3.example.com"]),
        ("/urls?q=%25", []),
        ("/urls?status=failed", []),
    ],
)
def test_search_takes_what_was_typed_as_it_is(full: Appliance, query: str, found: list[str]) -> None:
    items = full.get(query)["items"]
    assert [one.get("name") or one["host"] for one in items] == found


def bundle(server: Appliance) -> str:
    found: str = server.get("/deployments?limit=1")["items"][0]["bundle"]
    return found
