"""Records of ours that drifted, or that nothing uses any more: seen and mended by every door."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tests.appliance import Appliance
from tests.cli.drive import Cli
from tests.fakes.cloudflare import FakeCloudflare
from tests.servers import eventually
from tests.ui.pages import owner_of

HOST, OLD, HAND = "shop.example.com", "old.example.com", "hand.example.com"
HERE, ELSEWHERE = "192.0.2.10", "203.0.113.9"


@pytest.fixture(scope="module")
def cloudflare() -> Iterator[FakeCloudflare]:
    with FakeCloudflare() as fake:
        fake.add_zone("example.com")
        yield fake


@pytest.fixture(scope="module")
def own(cloudflare: FakeCloudflare, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """With one URL in force."""
    environ = {"HOMEPORT_CLOUDFLARE_API": cloudflare.url, "HOMEPORT_CLOUDFLARE_TOKEN": cloudflare.token.secret}
    with Appliance(tmp_path_factory.mktemp("records") / "data", **environ, HOMEPORT_DNS_TARGET=HERE) as running:
        running.project("shop")
        running.deploy("shop", {"index.html": "shop"})
        made = running.ask("POST", "/projects/shop/environments/production/urls?wait=30", json={"host": HOST}).json()
        assert made["status"] == "active", made
        yield running


@pytest.fixture(autouse=True)
def as_it_was(own: Appliance, cloudflare: FakeCloudflare) -> Iterator[None]:
    kept = [replace(one) for one in cloudflare.records]
    yield
    cloudflare.records[:] = kept


@pytest.fixture(scope="module")
def clicks(own: Appliance) -> Iterator[httpx.Client]:
    client = owner_of(own)
    yield client
    client.close()


def dangle(cloudflare: FakeCloudflare) -> None:
    """A record of ours whose URL is gone: somebody put an old copy of the database back."""
    mark = next(one.comment for one in cloudflare.records if one.name == HOST) or ""
    cloudflare.add_record(OLD, "A", HERE, comment=mark.replace(HOST, OLD))


def states(own: Appliance) -> dict[str, str]:
    return {one["host"]: one["state"] for one in own.get("/dns/records")["items"]}


def test_what_is_in_order_is_listed_as_such_and_what_is_not_ours_not_at_all(
    own: Appliance, cloudflare: FakeCloudflare
) -> None:
    cloudflare.add_record(HAND, "A", ELSEWHERE)
    (one,) = own.get("/dns/records")["items"]
    assert (one["host"], one["type"], one["content"], one["state"]) == (HOST, "A", HERE, "ok")
    assert one["project"] == "shop"


def test_what_drifted_is_said_and_mended(own: Appliance, cloudflare: FakeCloudflare, clicks: httpx.Client) -> None:
    cloudflare.at(HOST)[0].content = ELSEWHERE
    assert states(own) == {HOST: "drifted"}
    page = clicks.get("/settings/dns/records").text
    assert "Drifted" in page
    assert f"It should be A {HERE}." in page
    answer = clicks.post(f"/settings/dns/records/{HOST}/mend", follow_redirects=True)
    assert answer.status_code == 200
    eventually(lambda: states(own) == {HOST: "ok"})
    assert [one.content for one in cloudflare.at(HOST)] == [HERE]


def test_what_was_deleted_is_said_and_made_again(own: Appliance, cloudflare: FakeCloudflare) -> None:
    cloudflare.records.clear()
    (one,) = own.get("/dns/records")["items"]
    assert (one["state"], one["content"]) == ("drifted", HERE)
    assert own.ask("POST", f"/dns/records/{HOST}/mend").status_code == 204
    eventually(lambda: states(own) == {HOST: "ok"})


def test_what_nothing_uses_is_asked_about_and_removed(
    own: Appliance, cloudflare: FakeCloudflare, clicks: httpx.Client
) -> None:
    dangle(cloudflare)
    cloudflare.add_record(HAND, "A", HERE)
    assert states(own) == {OLD: "dangling", HOST: "ok"}
    assert "Remove the record of old.example.com" in clicks.get(f"/settings/dns/records/{OLD}/remove").text
    assert cloudflare.at(OLD)
    clicks.post(f"/settings/dns/records/{OLD}/remove", follow_redirects=True)
    eventually(lambda: not cloudflare.at(OLD))
    assert cloudflare.at(HOST) and cloudflare.at(HAND)
    assert any(one["verb"] == "dns.remove" and one["subject"] == OLD for one in own.get("/activity")["items"])


def test_the_same_in_a_terminal(own: Appliance, cloudflare: FakeCloudflare) -> None:
    cli = Cli({"HOMEPORT_SERVER": own.url, "HOMEPORT_KEY": own.key})
    assert cli.json("dns", "records") == own.get("/dns/records")
    dangle(cloudflare)
    cloudflare.at(HOST)[0].content = ELSEWHERE
    shown = cli("dns", "records", code=1).stdout
    assert f"{OLD}  " in shown and "dangling" in shown and f"It should be A {HERE}." in shown
    assert cli("dns", "mend", HOST).stderr == f"The record of {HOST} is being made again.\n"
    assert "Add --yes." in cli("dns", "remove", OLD, code=1).stderr
    assert cli("dns", "remove", OLD, "--yes").stderr == f"The record of {OLD} is being removed.\n"
    eventually(lambda: states(own) == {HOST: "ok"})
    assert "is in use here" in cli("dns", "remove", HOST, "--yes", code=1).stderr


def test_what_is_in_use_or_not_ours_is_not_removed(own: Appliance, cloudflare: FakeCloudflare) -> None:
    cloudflare.add_record(HAND, "A", HERE)
    used = own.ask("DELETE", f"/dns/records/{HOST}")
    assert (used.status_code, used.json()["type"]) == (409, "urn:homeport:record_used")
    theirs = own.ask("DELETE", f"/dns/records/{HAND}")
    assert (theirs.status_code, theirs.json()["type"]) == (404, "urn:homeport:no_record")
    assert own.ask("POST", f"/dns/records/{HAND}/mend").status_code == 409
    assert cloudflare.at(HOST) and cloudflare.at(HAND)


def test_a_token_for_some_zones_only_still_finds_what_is_known(own: Appliance, cloudflare: FakeCloudflare) -> None:
    cloudflare.token.zone_list = False
    try:
        assert states(own) == {HOST: "ok"}
    finally:
        cloudflare.token.zone_list = True


def test_a_provider_that_cant_be_asked_breaks_no_page(
    own: Appliance, cloudflare: FakeCloudflare, clicks: httpx.Client
) -> None:
    cloudflare.fail(503)
    answer = clicks.get("/settings/dns/records")
    assert answer.status_code == 200
    assert "They can’t be read." in answer.text
    cloudflare.fail(503)
    assert own.ask("GET", "/dns/records").status_code == 502
