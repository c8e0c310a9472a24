"""Every page for everyone: axe in both schemes and two widths, no sideways scrolling, nothing against the policy."""

import os
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.appliance import Appliance, zipped
from tests.e2e.conftest import Open

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 360, "height": 780}
RUN = """async (rules) => {
  const found = await axe.run(document, {runOnly: rules});
  return found.violations.map((one) => `${one.id}: ${one.nodes[0].target} ${one.nodes[0].failureSummary}`);
}"""
UNFOLD = """() => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  document.querySelector(".menu[popover]")?.showPopover();
}"""
WIDER = """() => document.documentElement.scrollWidth > innerWidth
  ? [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1
      && !one.closest("[popover], .view, pre, .tabs, .sr")).map((one) => one.outerHTML.slice(0, 120)).slice(0, 3)
  : []"""
SITE = {"index.html": "<h1>hello</h1><img src=gone.png>", ".env": "left out"}
INSIDE = (
    "/projects",
    "/projects?q=nothing-like-that",
    "/new",
    "/projects/axe",
    "/projects/axe/deployments",
    "/projects/axe/urls",
    "/projects/axe/access",
    "/projects/axe/settings",
    "/projects/axe/delete",
    "/projects/axe/new-environment",
    "/projects/axe/environments/production",
    "/projects/axe/environments/production/settings",
    "/projects/axe/environments/production/site",
    "/projects/axe/environments/production/xray",
    "/projects/axe/environments/production/freeze",
    "/projects/axe/environments/production/variables",
    "/projects/axe/environments/production/variables/import",
    "/projects/axe/environments/production/variable/KEY",
    "/projects/axe/environments/production/variable/KEY/remove",
    "/projects/axe/variables",
    "/projects/axe/environments/production/rollback",
    "/projects/axe/environments/production/delete",
    "/projects/axe/environments/production/promote?from=staging",
    "/projects/axe/environments/empty",
    "/projects/axe/environments/staging",
    "/projects/axe/environments/staging/site",
    "/deployments",
    "/deployments/{good}",
    "/deployments/{bad}",
    "/deployments/{good}/compare?with={first}",
    "/urls",
    "/urls/axe.example.com",
    "/urls/www.axe.example.com",
    "/urls/axe.example.com/remove",
    "/activity",
    "/settings/people",
    "/settings/teams",
    "/leave",
    "/settings",
    "/settings/nginx",
    "/settings/dns",
    "/settings/dns/records",
    "/settings/backups",
    "/settings/log",
    "/settings/file",
    "/settings/cleanup",
    "/settings/dns/disconnect",
    "/settings/keys",
    "/settings/keys/{key}/revoke",
    "/settings/keys-of-others",
    "/device",
    "/account",
    "/account/passkeys/new",
    "/confirm?to=/account",
    "/docs",
    "/nothing-here",
)
OUTSIDE = ("/login", "/setup?token=no-such-token")


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core, from where HOMEPORT_AXE says or the package that the tests install."""
    named = os.environ.get("HOMEPORT_AXE")
    return Path(named).read_text() if named else (files("axe_playwright_python") / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Appliance, dict[str, str]]]:
    """An appliance with some of everything."""
    with Appliance(tmp_path_factory.mktemp("furnished") / "data") as server:
        yield server, furnish(server)


def furnish(server: Appliance) -> dict[str, str]:
    first = server.deploy(server.project("axe"), {"index.html": "first", "_redirects": "no line\n"})
    good = server.deploy("axe", SITE)
    for name, secret in (("KEY", True), ("A_NAME_THAT_GOES_ON_AND_ON_FOR_LONGER_THAN_ANY_COLUMN_IS_WIDE", False)):
        long = {"value": "https://example.com/" + "long" * 40, "secret": secret}
        server.ask("PUT", f"/projects/axe/environments/production/variables/{name}", json=long)
    for name in ("staging", "empty"):
        server.ask("POST", "/projects/axe/environments", json={"name": name})
    server.deploy("axe", SITE, "staging")
    server.ask("POST", "/projects/axe/environments/staging/freeze", json={"message": "Sale until Friday"})
    server.ask("PATCH", "/projects/axe/environments/staging/guard", json={"maintenance": "Back at noon"})
    broken = bytearray(zipped({"index.html": "x" * 200, "a.html": "some words"}))
    broken[broken.index(b"a.html") + 8] ^= 0xFF
    bad = server.send("axe", bytes(broken)).json()["deployment"]
    server.project("second")
    for host, place in (("axe.example.com", "axe"), ("waits.example.com", "second")):
        server.ask("POST", f"/projects/{place}/environments/production/urls?wait=5", json={"host": host})
    leads = {"host": "www.axe.example.com", "redirect_to": "axe.example.com"}
    server.ask("POST", "/projects/axe/environments/production/urls?wait=5", json=leads)
    key = server.ask("POST", "/keys", json={"name": "soon over", "expires_at": "2099-01-01T00:00:00Z"}).json()
    return {"first": first["id"], "good": good["id"], "bad": bad["id"], "key": key["id"]}


def found_by_axe(page: Page, axe: str) -> list[str]:
    """Folded as it comes, then with everything unfolded."""
    page.evaluate(axe)
    found: list[Any] = page.evaluate(RUN, RULES)
    page.evaluate(UNFOLD)
    found += page.evaluate(RUN, RULES)
    return [f"{page.url}: {one}" for one in found]


@pytest.mark.slow
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    furnished: tuple[Appliance, dict[str, str]], open_tab: Open, axe: str, scheme: str, size: dict[str, int]
) -> None:
    server, ids = furnished
    page = open_tab(server, color_scheme=scheme, viewport=size, bypass_csp=True)
    found = []
    for path in INSIDE:
        page.goto(path.format(**ids))
        found += found_by_axe(page, axe)
    page.context.clear_cookies()
    for path in OUTSIDE:
        page.goto(path)
        found += found_by_axe(page, axe)
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_first_run(tmp_path: Path, open_tab: Open, axe: str, scheme: str) -> None:
    server = Appliance(tmp_path / "data").start()
    page = open_tab(server, signed_in=False, color_scheme=scheme, bypass_csp=True)
    page.goto(f"/setup?token={server.wait_for_token()}")
    found = found_by_axe(page, axe)
    server.set_up()
    page.goto("/login")
    page.get_by_label("E-mail address").fill("owner@example.com")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/projects")
    found += found_by_axe(page, axe)
    for path in ("/deployments", "/urls", "/settings/keys"):
        page.goto(path)
        found += found_by_axe(page, axe)
    server.kill()
    server.http.close()
    assert found == []


def test_axe_finds_nothing_in_dialogs_forms_and_refusals(
    furnished: tuple[Appliance, dict[str, str]], open_tab: Open, axe: str, tmp_path: Path
) -> None:
    server, _ = furnished
    page = open_tab(server, bypass_csp=True)
    page.goto("/projects/axe/settings")
    page.get_by_role("link", name="Delete project…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found = found_by_axe(page, axe)
    page.goto("/new")
    page.get_by_label("Project name").fill("Not A Name")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_role("alert")).to_be_focused()
    found += found_by_axe(page, axe)
    page.goto("/settings/keys")
    page.get_by_label("Name").fill("for axe")
    page.get_by_role("button", name="Create key").click()
    found += found_by_axe(page, axe)
    page.goto("/settings/nginx")
    page.get_by_role("button", name="Test NGINX now").click()
    expect(page.locator("#tested")).to_be_visible()
    found += found_by_axe(page, axe)
    evil = tmp_path / "evil.zip"
    evil.write_bytes(zipped({"../out.html": "x"}))
    page.goto("/projects")
    page.get_by_label("Drop a zip").set_input_files(evil)
    page.get_by_role("button", name="Deploy").click()
    expect(page.locator(".refused .notice")).to_be_visible()
    found += found_by_axe(page, axe)
    assert found == []


@pytest.mark.parametrize("width", [320, 360, 640, 960], ids=str)
def test_no_page_scrolls_sideways(furnished: tuple[Appliance, dict[str, str]], open_tab: Open, width: int) -> None:
    """640 is a desktop at 200 %; 320 one at 400 %."""
    server, ids = furnished
    page = open_tab(server, viewport={"width": width, "height": 700})
    found = {}
    for path in INSIDE:
        page.goto(path.format(**ids))
        if wider := page.evaluate(WIDER):
            found[path] = wider
    assert found == {}


def test_targets_are_large_enough_for_a_thumb(furnished: tuple[Appliance, dict[str, str]], open_tab: Open) -> None:
    server, _ = furnished
    page = open_tab(server, viewport=NARROW, has_touch=True, is_mobile=True)
    page.goto("/projects/axe")
    heights = page.evaluate(
        """() => [...document.querySelectorAll("button, .button, select, input:not([type=hidden])")]
          .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 24).map((one) => one.outerHTML)"""
    )
    assert heights == []


def test_the_phone_reaches_everything_by_its_menu(furnished: tuple[Appliance, dict[str, str]], open_tab: Open) -> None:
    server, _ = furnished
    page = open_tab(server, viewport=NARROW, has_touch=True, is_mobile=True)
    page.goto("/projects")
    page.get_by_role("button", name="Menu", exact=True).tap()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").tap()
    page.get_by_role("button", name=re.compile("General")).tap()
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Keys").tap()
    expect(page.get_by_role("heading", name=re.compile("Your keys"))).to_be_visible()
