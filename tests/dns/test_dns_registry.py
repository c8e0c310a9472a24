from pathlib import Path

import pytest

from appliance import dns
from appliance.dns import Provider
from appliance.dns.cloudflare import Cloudflare
from appliance.errors import StartFailed
from appliance.settings import Settings


def test_without_a_token_there_is_no_provider() -> None:
    assert dns.provider(Settings(), "i") is None


def test_what_is_chosen_comes_before_a_token() -> None:
    assert dns.provider(Settings(cloudflare_token="x" * 40, dns_provider="none"), "i") is None
    assert dns.chosen(Settings(cloudflare_token="x" * 40, dns_provider="manual")) == "manual"


def test_with_a_token_it_is_cloudflare() -> None:
    assert isinstance(dns.provider(Settings(cloudflare_token="x" * 40), "i"), Cloudflare)


@pytest.mark.parametrize("name", sorted(dns.REGISTRY))
def test_every_provider_in_the_registry_loads_and_knows_its_name(name: str) -> None:
    found = dns.load(name)
    assert issubclass(found, Provider)
    assert found.name == name


def test_another_package_may_offer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "offered_dns.py").write_text("from appliance.dns.cloudflare import Cloudflare as Offered\n")
    info = tmp_path / "offered_dns-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offered-dns\nVersion: 1.0\n")
    lines = ["[homeport.dns]", "offered = offered_dns:Offered", "cloudflare = offered_dns:Nothing", ""]
    (info / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    assert dns.load("offered") is Cloudflare
    assert dns.load("cloudflare") is Cloudflare
    with pytest.raises(StartFailed, match="There is cloudflare, manual, offered, rfc2136, route53"):
        dns.load("unheard-of")
