"""By hand: what is to be typed, and whether it is there, as a real name server has it."""

from collections.abc import Iterator

import pytest

from appliance import dns
from appliance.dns import Provider
from appliance.errors import RemoteFailed
from appliance.settings import Settings
from tests.bind import Bind

pytestmark = pytest.mark.bind
US, HOST, HERE = "0123456789abcdefghjk", "shop.example.com", "192.0.2.10"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with Bind(tmp_path_factory.mktemp("bind")) as bind:
        yield bind


@pytest.fixture
def bind(running: Bind) -> Bind:
    running.wipe()
    return running


@pytest.fixture
def provider(bind: Bind) -> Provider:
    made = dns.provider(Settings(dns_provider="manual", dns_resolver=bind.address, dns_target=HERE), US)
    assert made is not None
    return made


def typed(provider: Provider, host: str, target: str) -> str:
    with pytest.raises(RemoteFailed) as caught:
        provider.point(host, target, proxied=False)
    assert (caught.value.code, caught.value.permanent) == ("dns_by_hand", False)
    return caught.value.todo[0].partition("make the record ")[2]


@pytest.mark.parametrize(
    ("host", "target", "line"),
    [
        (HOST, HERE, f"“{HOST}. 300 IN A {HERE}”."),
        (HOST, "2001:db8::1", f"“{HOST}. 300 IN AAAA 2001:db8::1”."),
        (HOST, "port-1.example.net", f"“{HOST}. 300 IN CNAME port-1.example.net.”."),
        ("*.apps.example.com", HERE, f"“*.apps.example.com. 300 IN A {HERE}”."),
    ],
)
def test_it_says_what_to_type_and_takes_it_once_it_is_typed(
    bind: Bind, provider: Provider, host: str, target: str, line: str
) -> None:
    assert typed(provider, host, target) == line
    name, ttl, _, type, content = line.strip("“”.").split(" ")
    bind.by_hand(name.rstrip("."), type, f"{content}." if type == "CNAME" else content, int(ttl))
    assert not provider.point(host, target, proxied=False).ours


def test_one_that_leads_elsewhere_is_not_taken(bind: Bind, provider: Provider) -> None:
    bind.by_hand(HOST, "A", "203.0.113.9")
    assert typed(provider, HOST, HERE)
    (check,) = provider.check((HOST,))
    assert (check.status, check.text) == ("failed", f"{HOST} does not lead to {HERE}.")
    assert HERE in check.mend


def test_a_name_that_leads_here_by_another_name_is_taken(bind: Bind, provider: Provider) -> None:
    bind.by_hand("port-1.example.com", "A", HERE)
    bind.by_hand(HOST, "CNAME", "port-1.example.com.")
    assert provider.point(HOST, HERE, proxied=False).type == "A"
    assert [one.status for one in provider.check((HOST,))] == ["ok"]


def test_nothing_is_made_and_nothing_is_removed(bind: Bind, provider: Provider) -> None:
    bind.by_hand(HOST, "A", HERE)
    assert not provider.remove(HOST)
    assert provider.ours((HOST,)) == []
    with pytest.raises(RemoteFailed, match="has no TXT record"):
        provider.set_txt("_acme-challenge.example.com", "one")
    bind.by_hand("_acme-challenge.example.com", "TXT", '"one"')
    provider.set_txt("_acme-challenge.example.com", "one")
    assert bind.values(HOST, "A") == {HERE}
