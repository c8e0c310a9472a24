"""Signing in through a provider that others wrote, in a real browser: an account is connected, then come in with."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.access.cast import PASSWORD, add_person
from tests.appliance import Appliance
from tests.e2e.conftest import Open
from tests.e2e.test_browser_access import NARROW, WIDE, WIDER, axe, found_by_axe  # noqa: F401 - a fixture
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running `oidc-provider-mock`."""
    program, port = Path(sys.executable).with_name("oidc-provider-mock"), free_port()
    if not program.exists():
        pytest.skip("oidc-provider-mock is not on this machine")
    with (tmp_path_factory.mktemp("provider") / "log").open("wb") as log:
        process = subprocess.Popen([program, "--port", str(port)], stdout=log, stderr=log)
        try:
            wait_for(("127.0.0.1", port))
            url = f"http://127.0.0.1:{port}"
            for name in ("nora", "otto"):
                body = {"email": f"{name}@example.com", "email_verified": name == "nora"}
                assert httpx.put(f"{url}/users/{name}", json=body).status_code == 204
            yield url
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, provider: str) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("home") / "data", HOMEPORT_LIMIT_TRIES="0") as running:
        body = {"kind": "oidc", "id": "company", "name": "Company login", "issuer": provider, "client_id": "homeport"}
        assert running.ask("POST", "/providers", json={**body, "client_secret": "a-secret"}).status_code == 201
        for name in ("nora", "otto"):
            add_person(running, f"{name}@example.com", "viewer")
        yield running


@pytest.fixture
def tab(chromium: Browser, home: Appliance, request: pytest.FixtureRequest) -> Iterator[Page]:
    script: bool = getattr(request, "param", True)
    with closing(chromium.new_context(base_url=home.url, java_script_enabled=script)) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


def by_password(page: Page, email: str) -> None:
    page.goto("/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/projects")


def says_yes(page: Page, name: str, provider: str) -> None:
    """On the provider's own page."""
    page.wait_for_url(f"{provider}/**")
    page.locator("input[name=sub]").fill(name)
    page.get_by_role("button", name="Authorize").click()


@pytest.mark.parametrize("tab", [True, False], ids=["script", "no-script"], indirect=True)
def test_connected_and_come_in_with(home: Appliance, provider: str, tab: Page) -> None:
    by_password(tab, "nora@example.com")
    tab.goto("/account/identities")
    tab.get_by_role("button", name="Connect Company login").click()
    says_yes(tab, "nora", provider)
    tab.wait_for_url(f"{home.url}/account/identities")
    expect(tab.get_by_role("cell", name="nora@example.com").first).to_be_visible()
    tab.context.clear_cookies(domain="127.0.0.1")
    tab.goto("/urls")
    tab.get_by_role("link", name="Sign in with Company login").click()
    says_yes(tab, "nora", provider)
    tab.wait_for_url(f"{home.url}/urls")
    assert home.get("/activity")["items"][0]["actor"] == "nora@example.com"


def test_an_address_that_was_not_verified(home: Appliance, provider: str, tab: Page) -> None:
    by_password(tab, "otto@example.com")
    tab.goto("/account/identities")
    tab.get_by_role("button", name="Connect Company login").click()
    says_yes(tab, "otto", provider)
    expect(tab.get_by_role("alert")).to_contain_text("has not seen that otto@example.com is yours")
    expect(tab.get_by_text("No accounts connected yet")).to_be_visible()


def test_someone_who_says_no(home: Appliance, provider: str, tab: Page) -> None:
    tab.goto("/login")
    tab.get_by_role("link", name="Sign in with Company login").click()
    tab.wait_for_url(f"{provider}/**")
    tab.get_by_role("button", name="Deny").click()
    expect(tab.locator(".error-summary")).to_contain_text("was told not to let Homeport know who you are")


PAGES = (
    "/settings/sign-in",
    "/settings/sign-in/company",
    "/settings/sign-in/company/remove",
    "/settings/mail",
    "/settings/notifications",
    "/account/identities",
)
GATES = ("/login", "/forgot", "/login/with/company/back?code=x&state=y")


@pytest.mark.slow
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    home: Appliance,
    open_tab: Open,
    axe: str,  # noqa: F811
    scheme: str,
    size: dict[str, int],
) -> None:
    page = open_tab(home, color_scheme=scheme, viewport=size, bypass_csp=True)
    found: list[Any] = []
    for path in PAGES:
        page.goto(path)
        found += found_by_axe(page, axe) + page.evaluate(WIDER)
    page.context.clear_cookies()
    for path in GATES:
        page.goto(path)
        found += found_by_axe(page, axe) + page.evaluate(WIDER)
    assert found == []
