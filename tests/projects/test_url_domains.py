"""Whose a host name is, where several people share an appliance."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.access.cast import signed_in_as
from tests.api.test_contract import problem
from tests.appliance import Appliance

URLS = "/projects/{}/environments/production/urls"
NEWCOMER = "newcomer@example.com"


@pytest.fixture(scope="module")
def newcomer(server: Appliance) -> Iterator[httpx.Client]:
    """Who may add URLs in one project, and sees nothing of the other, which has a few."""
    for project, hosts in (("theirs", ("shop.test", "*.wild.test", "deep.down.test")), ("mine", ())):
        server.project(project)
        for host in hosts:
            assert server.ask("POST", URLS.format(project), json={"host": host}).status_code == 201
    with signed_in_as(server, "none", NEWCOMER) as client:
        granted = server.ask("PUT", "/projects/mine/grants", json={"person": NEWCOMER, "role": "developer"})
        assert granted.status_code == 200, granted.text
        yield client


@pytest.mark.parametrize(
    "host",
    [
        *("login.shop.test", "a.b.shop.test", "*.shop.test"),
        *("x.wild.test", "a.x.wild.test", "wild.test"),
        *("down.test", "*.down.test", "test"),
    ],
)
def test_nobody_takes_a_name_out_of_anothers_domain(newcomer: httpx.Client, host: str) -> None:
    said = problem(newcomer.post(URLS.format("mine"), json={"host": host}), 409)
    assert said["type"] == "urn:homeport:domain_taken"
    assert "theirs" not in said["detail"], "whose it is stays with those who may see it"


@pytest.mark.parametrize("host", ["workshop.test", "shop.test.example", "other.down.test"])
def test_names_side_by_side_are_free(newcomer: httpx.Client, host: str) -> None:
    made = newcomer.post(URLS.format("mine"), json={"host": host})
    assert made.status_code == 201, made.text


def test_whoever_may_add_urls_there_too_may(server: Appliance, newcomer: httpx.Client) -> None:
    assert server.ask("POST", URLS.format("mine"), json={"host": "help.shop.test"}).status_code == 201
    again = newcomer.post(URLS.format("mine"), json={"host": "a.help.shop.test"})
    assert problem(again, 409)["type"] == "urn:homeport:domain_taken", "below shop.test it still is"
    seen = server.ask("PUT", "/projects/theirs/grants", json={"person": NEWCOMER, "role": "viewer"})
    assert seen.status_code == 200, seen.text
    said = problem(newcomer.post(URLS.format("mine"), json={"host": "login.shop.test"}), 409)
    assert "shop.test of theirs" in said["detail"]


def test_where_domains_are_listed_others_are_refused(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data", HOMEPORT_URL_DOMAINS="example.net, shop.example.com") as server:
        server.project("blog")
        for host, status in [
            ("example.net", 201),
            ("www.example.net", 201),
            ("*.example.net", 201),
            ("shop.example.com", 201),
            ("example.com", 409),
            ("*.example.com", 409),
            ("notexample.net", 409),
        ]:
            answer = server.ask("POST", URLS.format("blog"), json={"host": host})
            assert answer.status_code == status, (host, answer.text)
            assert status == 201 or problem(answer, 409)["type"] == "urn:homeport:domain_unlisted"
