"""What every DNS provider promises: BIND itself, and Cloudflare and Route 53 as their wire protocols have it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import pytest

from appliance import dns
from appliance.dns import Provider
from appliance.errors import RemoteFailed
from appliance.settings import Settings, parse_setting
from tests.bind import Bind
from tests.fakes.cloudflare import FakeCloudflare
from tests.fakes.route53 import FakeRoute53

US, OTHERS = "0123456789abcdefghjk", "zyxwvutsrqpnmkjhgfed"
HOST, HERE, ELSEWHERE = "shop.example.com", "192.0.2.10", "203.0.113.9"


class Keeper(Protocol):
    """Whoever keeps the zone, seen from the other side."""

    @property
    def settings(self) -> dict[str, str]: ...
    def values(self, name: str, type: str) -> set[str]: ...
    def by_hand(self, name: str, type: str, content: str) -> None: ...
    def drop(self, name: str, type: str) -> None: ...


class CloudflareKeeper:
    def __init__(self, fake: FakeCloudflare) -> None:
        self.fake = fake
        for name in ("example.com", "eu.example.com"):
            fake.add_zone(name)

    @property
    def settings(self) -> dict[str, str]:
        return {"cloudflare_token": self.fake.token.secret, "cloudflare_api": self.fake.url}

    def values(self, name: str, type: str) -> set[str]:
        return {one.content.strip('"').rstrip(".") for one in self.fake.at(name) if one.type == type}

    def by_hand(self, name: str, type: str, content: str) -> None:
        self.fake.add_record(name, type, content.rstrip("."))

    def drop(self, name: str, type: str) -> None:
        self.fake.records[:] = [one for one in self.fake.records if (one.name, one.type) != (name, type)]


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with Bind(tmp_path_factory.mktemp("bind")) as running:
        yield running


@pytest.fixture(params=["cloudflare", pytest.param("rfc2136", marks=pytest.mark.bind), "route53"])
def keeper(request: pytest.FixtureRequest) -> Iterator[Keeper]:
    match request.param:
        case "cloudflare":
            with FakeCloudflare() as cloudflare:
                yield CloudflareKeeper(cloudflare)
        case "route53":
            with FakeRoute53() as route53:
                yield route53
        case _:
            bind: Bind = request.getfixturevalue("bind")
            bind.wipe()
            yield bind


@pytest.fixture
def provider(keeper: Keeper) -> Provider:
    return connect(keeper)


def connect(keeper: Keeper, instance: str = US, **more: str) -> Provider:
    given = {name: parse_setting(name, text) for name, text in {**keeper.settings, **more}.items()}
    made = dns.provider(Settings(**given), instance)
    assert made is not None
    return made


# Making records


@pytest.mark.parametrize(
    ("target", "type", "content"),
    [(HERE, "A", HERE), ("2001:DB8::1", "AAAA", "2001:db8::1"), ("Port-1.example.net.", "CNAME", "port-1.example.net")],
)
def test_a_target_makes_the_record_that_leads_there(
    keeper: Keeper, provider: Provider, target: str, type: str, content: str
) -> None:
    there = provider.point(HOST, target, proxied=False)
    assert (there.type, there.content, there.ours) == (type, content, True)
    assert keeper.values(HOST, type) == {content}


def test_to_say_it_again_changes_nothing(keeper: Keeper, provider: Provider) -> None:
    first = provider.point(HOST, HERE, proxied=False)
    assert provider.point(HOST, HERE, proxied=False) == first
    assert keeper.values(HOST, "A") == {HERE}
    assert provider.remove(HOST)
    assert not provider.remove(HOST)
    assert keeper.values(HOST, "A") == set()


def test_the_zone_with_the_longest_name_is_found(keeper: Keeper, provider: Provider) -> None:
    provider.point("shop.eu.example.com", HERE, proxied=False)
    assert keeper.values("shop.eu.example.com", "A") == {HERE}
    with pytest.raises(RemoteFailed) as caught:
        provider.point("shop.example.org", HERE, proxied=False)
    assert caught.value.code == "no_zone"
    assert caught.value.permanent
    assert caught.value.todo


def test_another_target_takes_the_place_of_the_first(keeper: Keeper, provider: Provider) -> None:
    provider.point(HOST, HERE, proxied=False)
    provider.point(HOST, "192.0.2.11", proxied=False)
    assert keeper.values(HOST, "A") == {"192.0.2.11"}


def test_a_name_takes_the_place_of_an_address_and_back(keeper: Keeper, provider: Provider) -> None:
    provider.point(HOST, HERE, proxied=False)
    provider.point(HOST, "port-1.example.net", proxied=False)
    assert (keeper.values(HOST, "A"), keeper.values(HOST, "CNAME")) == (set(), {"port-1.example.net"})
    provider.point(HOST, "2001:db8::1", proxied=False)
    assert (keeper.values(HOST, "CNAME"), keeper.values(HOST, "AAAA")) == (set(), {"2001:db8::1"})
    assert provider.remove(HOST)
    assert keeper.values(HOST, "AAAA") == set()


def test_a_wildcard_and_the_name_below_it_are_two(keeper: Keeper, provider: Provider) -> None:
    provider.point("*.apps.example.com", HERE, proxied=False)
    provider.point("apps.example.com", "192.0.2.11", proxied=False)
    assert {one.host: one.content for one in provider.ours(("*.apps.example.com", "apps.example.com"))} == {
        "*.apps.example.com": HERE,
        "apps.example.com": "192.0.2.11",
    }
    provider.point("one.apps.example.com", "192.0.2.12", proxied=False)
    assert keeper.values("one.apps.example.com", "A") == {"192.0.2.12"}
    assert provider.remove("*.apps.example.com")
    assert keeper.values("apps.example.com", "A") == {"192.0.2.11"}
    assert keeper.values("one.apps.example.com", "A") == {"192.0.2.12"}


# What was made by hand


def test_a_record_made_by_hand_is_never_touched(keeper: Keeper, provider: Provider) -> None:
    keeper.by_hand(HOST, "A", ELSEWHERE)
    with pytest.raises(RemoteFailed, match=f"{HOST} points to {ELSEWHERE}, not to this host") as caught:
        provider.point(HOST, HERE, proxied=False)
    assert caught.value.permanent
    assert not provider.remove(HOST)
    assert keeper.values(HOST, "A") == {ELSEWHERE}


def test_one_made_by_hand_that_leads_here_is_taken_as_it_is(keeper: Keeper, provider: Provider) -> None:
    keeper.by_hand(HOST, "A", HERE)
    assert not provider.point(HOST, HERE, proxied=False).ours
    assert provider.ours((HOST,)) == []
    assert not provider.remove(HOST)
    assert keeper.values(HOST, "A") == {HERE}


def test_what_stands_beside_ours_stays_when_ours_goes(keeper: Keeper, provider: Provider) -> None:
    provider.point(HOST, HERE, proxied=False)
    keeper.by_hand(HOST, "AAAA", "2001:db8::5")
    keeper.by_hand(f"mail.{HOST}", "A", ELSEWHERE)
    assert provider.remove(HOST)
    assert keeper.values(HOST, "AAAA") == {"2001:db8::5"}
    assert keeper.values(f"mail.{HOST}", "A") == {ELSEWHERE}


def test_a_record_of_another_appliance_is_somebody_elses(keeper: Keeper, provider: Provider) -> None:
    connect(keeper, OTHERS).point(HOST, ELSEWHERE, proxied=False)
    with pytest.raises(RemoteFailed, match="was not made by Homeport"):
        provider.point(HOST, HERE, proxied=False)
    assert not provider.remove(HOST)
    assert provider.ours((HOST,)) == []
    assert keeper.values(HOST, "A") == {ELSEWHERE}


def test_what_somebody_deleted_is_made_again(keeper: Keeper, provider: Provider) -> None:
    provider.point(HOST, HERE, proxied=False)
    keeper.drop(HOST, "A")
    provider.point(HOST, HERE, proxied=False)
    assert keeper.values(HOST, "A") == {HERE}
    assert [one.there for one in provider.ours((HOST,))] == [True]


# Looking


def test_ours_are_listed_and_nobody_elses(keeper: Keeper, provider: Provider) -> None:
    hosts = ("a.example.com", "b.example.com", "c.eu.example.com")
    for host in hosts:
        provider.point(host, HERE, proxied=False)
    keeper.by_hand("hand.example.com", "A", ELSEWHERE)
    connect(keeper, OTHERS).point("theirs.example.com", HERE, proxied=False)
    assert [(one.host, one.type, one.content) for one in provider.ours(hosts)] == [(host, "A", HERE) for host in hosts]


def test_the_test_says_that_all_is_well(provider: Provider) -> None:
    found = provider.check((HOST,))
    assert {one.status for one in found} == {"ok"}


def test_what_is_not_set_is_named(keeper: Keeper) -> None:
    provider = connect(keeper)
    needed = [one for one in provider.config.form() if provider.config.form()[one].needed]
    nothing: dict[str, Any] = dict.fromkeys(needed, "")
    bare = type(provider)(Settings(**nothing), US)
    found = bare.check(())
    assert [one.status for one in found] == ["failed"] * len(needed)
    assert all("is missing" in one.text and one.mend for one in found)


# TXT records, side by side


def test_values_stand_side_by_side_and_go_one_by_one(keeper: Keeper, provider: Provider) -> None:
    name = "_acme-challenge.example.com"
    for value in ("one", "two", "one"):
        provider.set_txt(name, value)
    assert keeper.values(name, "TXT") == {"one", "two"}
    provider.remove_txt(name, "one")
    provider.remove_txt(name, "one")
    assert keeper.values(name, "TXT") == {"two"}
    provider.remove_txt(name, "two")
    assert keeper.values(name, "TXT") == set()


# Two at once


def test_many_at_once_come_to_the_same(keeper: Keeper, provider: Provider) -> None:
    hosts = [f"many-{number}.example.com" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda host: provider.point(host, HERE, proxied=False), hosts))
        list(pool.map(lambda host: provider.point(host, "192.0.2.11", proxied=False), hosts))
    assert [keeper.values(host, "A") for host in hosts] == [{"192.0.2.11"}] * 8


def test_two_that_make_the_same_record_make_one(keeper: Keeper) -> None:
    one, other = connect(keeper), connect(keeper)

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda each: each.point(HOST, HERE, proxied=False), (one, other)))
    assert [there.content for there in made] == [HERE, HERE]
    assert keeper.values(HOST, "A") == {HERE}
