"""Dynamic updates against a real BIND: what each refusal says, and what must not be lost on the way."""

import socket
from collections.abc import Iterator

import pytest

from appliance import dns
from appliance.dns import Provider
from appliance.errors import RemoteFailed
from appliance.model.checks import Check
from appliance.settings import Settings
from tests.bind import HAND, SECRET, Bind

pytestmark = pytest.mark.bind
US, HOST, HERE = "0123456789abcdefghjk", "shop.example.com", "192.0.2.10"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with Bind(tmp_path_factory.mktemp("bind"), transfer=False) as bind:
        yield bind


@pytest.fixture
def bind(running: Bind) -> Bind:
    running.wipe()
    return running


def connect(bind: Bind, **more: str) -> Provider:
    made = dns.provider(Settings(**{**bind.settings, **more}), US)  # type: ignore[arg-type]
    assert made is not None
    return made


def refusal(provider: Provider, host: str = HOST, target: str = HERE) -> RemoteFailed:
    with pytest.raises(RemoteFailed) as caught:
        provider.point(host, target, proxied=False)
    return caught.value


def only(checks: list[Check]) -> Check:
    (check,) = [one for one in checks if one.status == "failed"]
    return check


# Each refusal in its own words


def test_a_key_that_the_server_does_not_know(bind: Bind) -> None:
    provider = connect(bind, rfc2136_key_name="unheard-of")
    why = refusal(provider)
    assert (why.code, why.permanent) == ("dns_key", True)
    assert why.detail == f"{bind.address} knows no key named 'unheard-of'."
    assert only(provider.check((HOST,))).text == why.detail


def test_a_key_with_another_secret(bind: Bind) -> None:
    provider = connect(bind, rfc2136_key_secret=HAND)
    why = refusal(provider)
    assert (why.code, why.permanent) == ("dns_key", True)
    assert why.detail == f"{bind.address} knows the key 'homeport-key', but with another secret or algorithm."
    assert only(provider.check(())).text == why.detail
    assert HAND not in str(why)


def test_a_clock_that_is_off(bind: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dns.message.time.time", lambda: 1_000_000_000.0)
    why = refusal(connect(bind))
    assert (why.code, why.permanent) == ("dns_key", False)
    assert "The clocks" in why.detail


def test_a_secret_that_is_none(bind: Bind) -> None:
    provider = connect(bind, rfc2136_key_secret="not Base64!")
    assert refusal(provider).detail == "The secret of the key is not Base64."
    assert only(provider.check(())).text == "The secret of the key is not Base64."


def test_a_zone_that_the_key_may_not_change(bind: Bind) -> None:
    provider = connect(bind)
    why = refusal(provider, "shop.refused.example")
    assert (why.code, why.permanent) == ("dns_not_allowed", True)
    assert why.detail == f"{bind.address} does not let this key change refused.example (REFUSED)."
    assert only(provider.check((HOST, "shop.refused.example"))).text == why.detail
    assert bind.values("shop.refused.example", "A") == set()


def test_a_zone_that_is_kept_elsewhere(bind: Bind) -> None:
    provider = connect(bind)
    why = refusal(provider, "shop.example.org")
    assert (why.code, why.permanent) == ("no_zone", True)
    assert only(provider.check(("shop.example.org",))).text == why.detail
    bind.by_hand("away.example.com", "NS", "ns1.example.org.")
    assert refusal(provider, "shop.away.example.com").code == "no_zone"


def test_a_server_that_is_not_there(bind: Bind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    provider = connect(bind, rfc2136_server=f"127.0.0.1:{port}")
    why = refusal(provider)
    assert (why.code, why.permanent) == ("dns_silent", False)
    assert why.detail == f"Nothing answers as a name server at 127.0.0.1:{port}."
    assert only(provider.check((HOST,))).text == why.detail


def test_a_server_whose_name_nobody_knows(bind: Bind) -> None:
    provider = connect(bind, rfc2136_server="ns1.nowhere.invalid")
    assert refusal(provider).detail == "The name server can't be asked: ns1.nowhere.invalid can't be found."


# What must not be lost


def test_a_name_with_other_records_takes_no_cname_and_that_is_said(bind: Bind) -> None:
    bind.by_hand(HOST, "TXT", '"v=spf1 -all"')
    why = refusal(connect(bind), target="port-1.example.net")
    assert why.code == "dns_in_the_way"
    assert bind.values(HOST, "CNAME") == set()
    assert bind.values(HOST, "TXT") == {"v=spf1 -all"}


def test_one_value_of_ours_among_others_goes_alone(bind: Bind) -> None:
    provider = connect(bind)
    provider.point(HOST, HERE, proxied=False)
    bind.by_hand(HOST, "A", "203.0.113.9")
    assert provider.remove(HOST)
    assert bind.values(HOST, "A") == {"203.0.113.9"}
    assert bind.values(f"_homeport.{HOST}", "TXT") == set()


def test_what_was_changed_by_hand_is_theirs_from_then_on(bind: Bind) -> None:
    provider = connect(bind)
    provider.point(HOST, HERE, proxied=False)
    bind.drop(HOST, "A")
    bind.by_hand(HOST, "A", "203.0.113.9")
    assert refusal(provider).code == "points_elsewhere"
    assert [(one.content, one.there) for one in provider.ours((HOST,))] == [(HERE, False)]
    assert not provider.remove(HOST)
    assert bind.values(HOST, "A") == {"203.0.113.9"}
    assert provider.ours((HOST,)) == []


def test_without_a_transfer_what_is_known_by_name_is_found(bind: Bind) -> None:
    provider = connect(bind)
    for host in ("a.example.com", "b.example.com"):
        provider.point(host, HERE, proxied=False)
    assert [one.host for one in provider.ours(("a.example.com", "shop.example.org"))] == ["a.example.com"]


def test_another_algorithm_is_another_key(bind: Bind) -> None:
    assert refusal(connect(bind, rfc2136_algorithm="hmac-sha512")).code == "dns_key"


def test_a_challenge_is_served_when_the_name_server_says_so(bind: Bind) -> None:
    provider, name = connect(bind), "_acme-challenge.example.com"
    assert not provider.served(name, "one")
    provider.set_txt(name, "one")
    provider.set_txt(name, "two")
    provider.until_served(name, "one", timeout=5)
    provider.until_served(name, "two", timeout=5)
    provider.remove_txt(name, "one")
    with pytest.raises(RemoteFailed, match="don't give its TXT record"):
        provider.until_served(name, "one", timeout=0.1)
    assert SECRET not in repr(provider.settings)
