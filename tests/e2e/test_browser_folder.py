"""A folder in a real browser: hashed there, and only what the server does not have is sent."""

import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from appliance.web.page import STATIC
from tests.appliance import Appliance
from tests.e2e.conftest import Open
from tests.trees import batch, name_of, send

pytestmark = pytest.mark.browser
RANDOM = random.Random(9)


def folder(place: Path, name: str = "My Site") -> Path:
    top = place / name
    (top / "docs" / "ü #1").mkdir(parents=True)
    (top / ".git").mkdir()
    (top / ".git" / "config").write_text("secret")
    (top / "index.html").write_text(f"<h1>{RANDOM.random()}</h1>")
    (top / "docs" / "ü #1" / "a+b.html").write_text("odd name")
    (top / "empty.txt").write_text("")
    (top / "noise.png").write_bytes(RANDOM.randbytes(300_000))
    for number in range(150):  # more than a browser lists at once
        (top / "docs" / f"{number}.html").write_text(f"page {number} {RANDOM.random()}")
    return top


def choose(page: Page, place: Path) -> None:
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Choose a folder").click()
    choosing.value.set_files(place)


def drop(page: Page, place: Path) -> None:
    """A real folder, dropped as from a file manager."""
    devtools = page.context.new_cdp_session(page)
    box = page.locator(".drop").bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 10}
    data = {"items": [], "files": [str(place)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def test_a_chosen_folder_becomes_a_project(fresh: Appliance, open_tab: Open, tmp_path: Path) -> None:
    page, place = open_tab(fresh), folder(tmp_path)
    page.goto("/projects")
    choose(page, place)
    page.wait_for_url("**/deployments/*")
    expect(page.locator("main")).to_contain_text("live", timeout=20_000)
    assert fresh.get("/deployments?limit=1")["items"][0]["files"] == 154, "not what .git holds"
    assert fresh.visit("my-site").text == (place / "index.html").read_text()
    assert fresh.visit("my-site", "/docs/%C3%BC%20%231/a+b.html").text == "odd name"


def test_a_dropped_folder_sends_only_what_is_new(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    name, place = server.project("dropped-folder"), folder(tmp_path)
    known = [path.read_bytes() for path in place.rglob("*") if path.is_file()]
    send(server, batch(set(known)))
    (place / "index.html").write_text("only this is new")
    sent: list[int] = []
    page = open_tab(server)
    page.on("request", lambda one: sent.append(len(one.post_data_buffer or b"")) if "/contents" in one.url else None)
    page.goto(f"/projects/{name}/environments/production")
    drop(page, place)
    page.wait_for_url("**/deployments/*")
    expect(page.locator("main")).to_contain_text("Visitors of", timeout=20_000)
    assert server.visit(name).text == "only this is new"
    assert len(sent) == 1
    assert server.data.joinpath("files", name_of(b"only this is new")[:2], name_of(b"only this is new")).exists()


def test_without_the_browsers_own_hashing_it_hashes_itself(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    """As over plain HTTP: there is no crypto.subtle."""
    name, place = server.project("own-hashing"), folder(tmp_path)
    (place / "large.bin").write_bytes(RANDOM.randbytes(9 << 20))
    for size in (55, 56, 63, 64, 65, 119, 120):
        (place / f"{size}.bin").write_bytes(RANDOM.randbytes(size))
    page = open_tab(server)

    def without(route: Route) -> None:
        source = 'Object.defineProperty(self, "crypto", {value: undefined});' + (STATIC / "hashing.js").read_text()
        route.fulfill(body=source, content_type="text/javascript")

    page.route(re.compile("hashing.js"), without)
    page.goto(f"/projects/{name}/environments/production")
    choose(page, place)
    page.wait_for_url("**/deployments/*")
    expect(page.locator("main")).to_contain_text("Visitors of", timeout=20_000)
    assert server.visit(name, "/large.bin").content == (place / "large.bin").read_bytes()


def test_what_is_refused_is_said_in_place(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    name = server.project("refused-folder")
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    (tmp_path / "empty" / ".git" / "config").write_text("x")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / ".env").write_text("KEY=1")
    page = open_tab(server)
    page.goto(f"/projects/{name}/environments/production")
    choose(page, tmp_path / "empty")
    expect(page.locator(".refused")).to_contain_text("there is no file in it")
    choose(page, tmp_path / "secrets")
    expect(page.locator(".refused")).to_contain_text("secrets was not taken.")
    expect(page.locator(".refused")).to_contain_text("never published (.env)")
    expect(page.get_by_role("button", name="Choose a folder")).to_be_visible()
    assert server.get(f"/deployments?project={name}")["items"] == []


def test_it_can_be_cancelled(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    name, place = server.project("cancelled-folder"), folder(tmp_path)
    page = open_tab(server)
    page.route("**/deploy/files", lambda route: None)  # never answered
    page.goto(f"/projects/{name}/environments/production")
    choose(page, place)
    expect(page.locator(".drop.busy")).to_contain_text("Reading 154 files")
    page.get_by_role("button", name="Cancel upload").click()
    expect(page.get_by_role("button", name="Choose a folder")).to_be_visible()
    assert server.get(f"/deployments?project={name}")["items"] == []


def test_without_script_only_a_zip_is_offered(server: Appliance, open_tab: Open) -> None:
    page = open_tab(server, java_script_enabled=False)
    page.goto(f"/projects/{server.project('plain-folder')}/environments/production")
    expect(page.get_by_role("button", name="Choose a folder")).to_be_hidden()
    expect(page.get_by_label("Drop a zip of a built site")).to_be_visible()
