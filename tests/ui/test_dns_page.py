"""Settings, DNS: choose who makes records, test it and save it, in a page that needs no script."""

from collections.abc import Iterator

import httpx
import pytest

from appliance.machine.served import until
from tests.appliance import Appliance
from tests.bind import HAND, SECRET, Bind
from tests.servers import eventually
from tests.ui.pages import owner_of

PAGE = "/settings/dns"
HOST = "shop.example.com"


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with Bind(tmp_path_factory.mktemp("bind")) as running:
        yield running


@pytest.fixture
def clicks(fresh: Appliance) -> Iterator[httpx.Client]:
    client = owner_of(fresh)
    yield client
    client.close()


def posted(client: httpx.Client, path: str, **values: str) -> str:
    answer = client.post(path, data=values, follow_redirects=True)
    assert answer.status_code in (200, 422), answer.text
    return answer.text


def test_every_provider_can_be_chosen_and_has_its_form(clicks: httpx.Client) -> None:
    page = clicks.get(PAGE).text
    for word in ("Cloudflare", "Dynamic updates (RFC 2136)", "Amazon Route 53", "By hand", "Nobody"):
        assert word in page
    for field in ("cloudflare_token", "rfc2136_server", "rfc2136_key_secret", "route53_secret", "dns_ttl"):
        assert f'name="{field}"' in page


@pytest.mark.bind
def test_what_is_typed_is_tested_before_it_is_saved(clicks: httpx.Client, bind: Bind) -> None:
    typed = {**bind.settings, "dns_target": "192.0.2.10", "rfc2136_key_secret": HAND}
    page = posted(clicks, f"{PAGE}/test", **typed)
    assert "but with another secret or algorithm" in page
    assert HAND not in page
    page = posted(clicks, f"{PAGE}/test", **{**typed, "rfc2136_key_name": "unheard-of"})
    assert "knows no key named &#39;unheard-of&#39;" in page
    page = posted(clicks, f"{PAGE}/test", **{**typed, "rfc2136_server": ""})
    assert "Name server is missing" in page
    page = posted(clicks, f"{PAGE}/test", **bind.settings)
    assert "It works." in page
    assert SECRET not in page
    assert 'value="none" selected' in clicks.get(PAGE).text


@pytest.mark.bind
def test_it_is_saved_kept_and_forgotten(fresh: Appliance, clicks: httpx.Client, bind: Bind) -> None:
    page = posted(clicks, PAGE, **bind.settings, dns_target="192.0.2.10", dns_ttl="600")
    assert 'value="rfc2136" selected' in page
    assert "It is never shown" in page
    assert SECRET not in page
    kept = {one["name"]: one["value"] for one in fresh.get("/settings")["items"]}
    assert (kept["dns_provider"], kept["rfc2136_key_name"], kept["dns_ttl"]) == ("rfc2136", "homeport-key", "600")
    page = posted(clicks, f"{PAGE}/disconnect")
    assert 'value="none" selected' in page
    assert "It is never shown" not in page


def test_what_cant_be_used_is_said_at_its_field(clicks: httpx.Client) -> None:
    page = posted(clicks, PAGE, dns_provider="unheard-of", dns_ttl="5", rfc2136_server="ns 1")
    assert "Choose one of auto, none, cloudflare" in page
    assert "from 60 to 86400 seconds" in page
    assert "enter an address or a name, such as 10.0.0.53" in page


@pytest.mark.bind
def test_a_url_gets_its_record_and_loses_it(fresh: Appliance, clicks: httpx.Client, bind: Bind) -> None:
    bind.wipe()
    posted(clicks, PAGE, **bind.settings, dns_target="192.0.2.10")
    fresh.project("shop")
    fresh.deploy("shop", {"index.html": "shop"})
    made = fresh.ask("POST", "/projects/shop/environments/production/urls?wait=20", json={"host": HOST}).json()
    assert made["dns"] == {"status": "ok", "detail": "A 192.0.2.10", "note": "made by Homeport"}
    assert bind.values(HOST, "A") == {"192.0.2.10"}
    fresh.ask("DELETE", f"/projects/shop/environments/production/urls/{HOST}")
    eventually(lambda: not bind.values(HOST, "A"))


@pytest.mark.bind
def test_by_hand_it_says_what_to_type_and_looks_until_it_is_there(
    fresh: Appliance, clicks: httpx.Client, bind: Bind
) -> None:
    bind.wipe()
    posted(clicks, PAGE, dns_provider="manual", dns_target="192.0.2.10", dns_resolver=bind.address)
    fresh.project("shop")
    fresh.deploy("shop", {"index.html": "shop"})
    fresh.ask("POST", "/projects/shop/environments/production/urls", json={"host": HOST})

    def now() -> dict[str, object]:
        return next(one for one in fresh.get("/urls")["items"] if one["host"] == HOST)

    eventually(lambda: bool(now()["error"]))
    assert f"make the record “{HOST}. 300 IN A 192.0.2.10”." in str(now()["error"])
    assert (now()["status"], now()["dns"]) == (
        "pending",
        {"status": "pending", "detail": "Waits for its record", "note": ""},
    )
    bind.by_hand(HOST, "A", "192.0.2.10")
    assert until(lambda: now()["status"] == "active", 90)
    assert now()["dns"] == {"status": "ok", "detail": "A 192.0.2.10", "note": "made by hand"}
