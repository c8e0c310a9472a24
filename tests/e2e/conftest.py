"""A real browser."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.appliance import EMAIL, PASSWORD, Appliance

Open = Callable[..., Page]
EXPECTED = ("status of 4", "net::ERR_ABORTED")  # a refusal that a test asks for is no complaint


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the console says against a page; nothing may be left at the end of a test."""
    said: list[str] = []
    yield said
    assert said == []


@pytest.fixture
def open_tab(chromium: Browser, complaints: list[str]) -> Iterator[Open]:
    """Opens a tab of its own, signed in to an appliance unless told otherwise."""
    contexts: list[BrowserContext] = []

    def opened(server: Appliance, *, signed_in: bool = True, **more: Any) -> Page:
        size = {"width": 1280, "height": 860}
        context = chromium.new_context(**{"base_url": server.url, "viewport": size, "reduced_motion": "reduce", **more})
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        _listen(page, server.url, complaints)
        if signed_in:
            sign_in(page)
        return page

    yield opened
    for context in contexts:
        context.close()


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/projects")


def _listen(page: Page, home: str, said: list[str]) -> None:
    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in EXPECTED):
            said.append(f"{page.url}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on("request", lambda asked: said.append(f"left home: {asked.url}") if _abroad(asked.url, home) else None)


def _abroad(address: str, home: str) -> bool:
    return not address.startswith((home, "blob:", "data:")) and ".localhost" not in address
