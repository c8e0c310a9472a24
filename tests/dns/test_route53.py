"""Route 53 by its wire protocol: what each refusal says, and that nobody's change is lost."""

from collections.abc import Iterator

import pytest

from appliance import dns
from appliance.dns import Provider
from appliance.errors import RemoteFailed
from appliance.settings import Settings
from tests.fakes.route53 import FakeRoute53

US, HOST, HERE = "0123456789abcdefghjk", "shop.example.com", "192.0.2.10"


@pytest.fixture
def route53() -> Iterator[FakeRoute53]:
    with FakeRoute53() as fake:
        yield fake


def connect(route53: FakeRoute53, **more: str) -> Provider:
    made = dns.provider(Settings(**{**route53.settings, **more}), US)  # type: ignore[arg-type]
    assert made is not None
    return made


def refusal(provider: Provider) -> RemoteFailed:
    with pytest.raises(RemoteFailed) as caught:
        provider.point(HOST, HERE, proxied=False)
    return caught.value


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"route53_key_id": "AKIDUNKNOWN"}, "it does not know the access key id"),
        ({"route53_secret": "another secret"}, "the secret does not belong to the access key id"),
    ],
)
def test_a_key_that_is_not_right(route53: FakeRoute53, given: dict[str, str], why: str) -> None:
    provider = connect(route53, **given)
    refused = refusal(provider)
    assert (refused.code, refused.permanent) == ("route53_key", True)
    assert refused.detail == f"Route 53 refused the access key: {why}."
    assert [one.text for one in provider.check((HOST,))] == [refused.detail]
    assert "another secret" not in f"{refused} {refused.said}"


@pytest.mark.parametrize(
    ("taken", "act"),
    [
        ("ListHostedZonesByName", "find zones"),
        ("ListResourceRecordSets", "read records in example.com"),
        ("ChangeResourceRecordSets", "change records in example.com"),
    ],
)
def test_a_permission_that_is_missing_is_named(route53: FakeRoute53, taken: str, act: str) -> None:
    route53.allowed.discard(taken)
    why = refusal(connect(route53))
    assert (why.code, why.permanent) == ("route53_permission", True)
    assert why.detail == f"This access key may not {act}."
    assert why.todo == (f"In IAM, allow route53:{taken} for the user that the key belongs to.",)


def test_the_test_finds_that_nothing_may_be_changed_and_changes_nothing(route53: FakeRoute53) -> None:
    route53.allowed.discard("ChangeResourceRecordSets")
    statuses = {one.name: one.status for one in connect(route53).check((HOST, "shop.example.org"))}
    assert statuses == {"dns.key": "ok", "dns.zone.shop.example.org": "failed", "dns.edit.example.com": "failed"}
    route53.allowed.add("ChangeResourceRecordSets")
    assert {one.status for one in connect(route53).check((HOST,))} == {"ok"}
    assert route53.sets == {}


@pytest.mark.parametrize("failure", [(500, "InternalFailure"), (400, "Throttling"), (400, "PriorRequestNotComplete")])
def test_what_may_pass_is_tried_again_later(route53: FakeRoute53, failure: tuple[int, str]) -> None:
    route53.failures = [failure]
    provider = connect(route53)
    assert not refusal(provider).permanent
    assert provider.point(HOST, HERE, proxied=False).ours


def test_a_change_in_between_is_not_lost(route53: FakeRoute53) -> None:
    provider = connect(route53)
    provider.set_txt("_acme-challenge.example.com", "one")
    route53.meanwhile.append(lambda: route53.by_hand("_acme-challenge.example.com", "TXT", '"theirs"'))
    provider.set_txt("_acme-challenge.example.com", "two")
    assert route53.values("_acme-challenge.example.com", "TXT") == {"one", "two", "theirs"}


def test_a_record_that_somebody_makes_in_between_is_theirs(route53: FakeRoute53) -> None:
    route53.meanwhile.append(lambda: route53.by_hand(HOST, "A", "203.0.113.9"))
    assert refusal(connect(route53)).code == "points_elsewhere"
    assert route53.values(HOST, "A") == {"203.0.113.9"}
    assert route53.values(f"_homeport.{HOST}", "TXT") == set()


def test_more_records_than_a_page_holds_are_all_seen(route53: FakeRoute53) -> None:
    provider = connect(route53)
    for number in range(310):
        route53.by_hand(f"hand-{number}.example.com", "A", "203.0.113.9")
    provider.point("zz.example.com", HERE, proxied=False)
    provider.point("*.apps.example.com", HERE, proxied=False)
    assert [one.host for one in provider.ours(())] == ["*.apps.example.com", "zz.example.com"]
