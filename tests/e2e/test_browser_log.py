"""The log of the process in a real browser: read, narrowed, followed; what others wrote stays text."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.api.test_process_log import NASTY, failing_backup, said
from tests.appliance import Appliance
from tests.e2e.conftest import Open

pytestmark = pytest.mark.browser


def test_it_is_followed_as_things_happen(fresh: Appliance, open_tab: Open, tmp_path: Path) -> None:
    page = open_tab(fresh)
    page.goto("/settings/log?area=backups")
    expect(page.locator(".log .state")).to_contain_text("Following")
    expect(page.locator(".log .view")).to_contain_text("No line like that yet")
    lines = page.locator(".log li")
    name = failing_backup(fresh, tmp_path / "followed" / "x")
    expect(lines).to_have_count(1)
    expect(lines.last).to_contain_text(name)
    expect(lines.last).to_have_class("error")
    expect(lines.last.locator("time")).to_have_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"))
    page.reload()
    expect(lines).to_have_count(1)
    lines.last.locator("a").click()
    assert re.search(r"#L\d+$", page.url)


def test_markup_and_escape_codes_in_a_line_are_harmless(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    """By the page and by the stream alike."""
    where = tmp_path / NASTY.replace("/", "")
    name = failing_backup(server, where / "x")
    said(server, q=name)
    page = open_tab(server)
    page.goto(f"/settings/log?q={name}")
    expect(page.locator(".log li > span")).to_contain_text("<img src=x onerror=document.title='ran'>")
    page.goto("/settings/log?area=backups")
    expect(page.locator(".log .state")).to_contain_text("Following")
    again = failing_backup(server, where / "x")
    last = page.locator(".log li").last
    expect(last).to_contain_text(again)
    assert "<img src=x" in last.inner_text() and "\x1b" not in last.inner_text()
    assert page.locator("img").count() == 0 and "ran" not in page.title()


def test_it_is_read_and_narrowed_without_script(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    name = failing_backup(server, tmp_path / "plain" / "x")
    said(server, q=name)
    page = open_tab(server, java_script_enabled=False)
    page.goto("/settings")
    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.locator(".log li").filter(has_text="Homeport 0.")).not_to_have_count(0)
    page.get_by_label("Search the log").fill(name)
    page.get_by_label("Area").select_option("backups")
    page.get_by_label("Level").select_option("error")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".log li")).to_have_count(1)
    page.get_by_label("Search the log").fill("nothing says this")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="No line like that")).to_be_visible()
    page.get_by_role("link", name="Show all").first.click()
    expect(page).to_have_url(f"{server.url}/settings/log")
