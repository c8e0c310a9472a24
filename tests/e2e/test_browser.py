"""The pages in a real browser: the straight line, live."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Page, expect

from tests.appliance import EMAIL, PASSWORD, Appliance, zipped
from tests.e2e.conftest import Open

pytestmark = pytest.mark.browser

SITE = {"index.html": "<h1>hello</h1>", "404.html": "nothing here"}
DROP = """([base64, name, selector]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, {type: "application/zip"}));
  const at = document.querySelector(selector);
  const happens = (type) =>
    at.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: carried}));
  happens("dragenter");
  happens("dragover");
  window.letGo = () => happens("drop");
}"""
SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
      window.shifted += entry.value;
      for (const one of entry.sources)
        window.shifts = [...(window.shifts ?? []), `${one.node?.nodeName} ${one.previousRect.y} ${one.currentRect.y}`];
    }
  }).observe({type: "layout-shift", buffered: true});
}"""


def zip_file(folder: Path, name: str, files: dict[str, str | bytes] | None = None) -> Path:
    path = folder / name
    path.write_bytes(zipped(files or SITE))
    return path


def large_zip(folder: Path, count: int = 15_000) -> Path:
    """Enough files that unpacking them can be watched."""
    path = folder / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("index.html", "<h1>large</h1>")
        for number in range(count):
            archive.writestr(f"pages/{number}.html", f"<p>{number}</p>")
    return path


def drag(page: Page, path: Path, selector: str) -> None:
    """A file over an element, not yet let go."""
    import base64

    page.evaluate(DROP, [base64.b64encode(path.read_bytes()).decode(), path.name, selector])


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Appliance]:
    """An appliance that nobody has set up yet."""
    server = Appliance(tmp_path / "data").start()
    yield server
    server.kill()
    server.http.close()


def test_from_set_up_to_live_in_the_browser(untouched: Appliance, tmp_path: Path, open_tab: Open) -> None:
    server = untouched
    page = open_tab(server, signed_in=False)
    page.goto(f"/setup?token={server.wait_for_token()}")
    expect(page.get_by_role("heading", name="Set up this host")).to_be_visible()
    expect(page.get_by_role("heading", name="What Homeport found here")).to_be_visible()
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_role("button", name="Create owner and continue").click()
    page.wait_for_url("**/projects")
    expect(page.get_by_text("The first zip makes the first one.")).to_be_visible()
    expect(page.get_by_text(f"homeport login {server.url}")).to_be_visible()
    page.get_by_label("Drop a zip of a built site").set_input_files(zip_file(tmp_path, "My Site.zip"))
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/deployments/*")
    expect(page.locator("h1")).to_contain_text("Live")
    expect(page.get_by_text(f"Visitors of my-site.localhost:{server.port} get it now.")).to_be_visible()
    expect(page.locator(".log .state")).to_contain_text("Ended")
    assert server.visit("my-site").text == SITE["index.html"]


def test_set_up_says_every_mistake_at_once(untouched: Appliance, open_tab: Open) -> None:
    server = untouched
    page = open_tab(server, signed_in=False, java_script_enabled=False)
    page.goto(f"/setup?token={server.wait_for_token()}")
    page.get_by_label("E-mail address").fill("me@example.com")
    page.get_by_label("Password", exact=True).fill("long enough in letters " + "é" * 40)
    page.get_by_role("button", name="Create owner and continue").click()
    expect(page.get_by_role("alert")).to_contain_text("One thing needs correcting")
    expect(page.get_by_label("E-mail address")).to_have_value("me@example.com")
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def test_sign_in_without_script(server: Appliance, open_tab: Open) -> None:
    page = open_tab(server, signed_in=False, java_script_enabled=False)
    page.goto("/projects?q=x")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The e-mail address or the password is wrong")
    assert PASSWORD not in page.url
    assert "password" not in page.url
    expect(page.get_by_label("E-mail address")).to_have_value(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/projects\?q=x$"))
    page.get_by_role("button", name="your menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_whole_line_without_script(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    page = open_tab(server, java_script_enabled=False)
    page.goto("/new")
    page.get_by_label("Project name").fill("Plain")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_role("alert")).to_contain_text("Use small letters only")
    expect(page.get_by_label("Project name")).to_have_value("Plain")
    page.get_by_label("Project name").fill("plain")
    page.get_by_role("button", name="Create project").click()
    page.get_by_role("link", name="Deploy to production").first.click()
    page.get_by_label("Drop a zip of a built site").set_input_files(zip_file(tmp_path, "site.zip"))
    page.get_by_role("button", name="Deploy").click()
    expect(page.locator("h1")).to_contain_text("Deployment 1")
    expect(page.locator("h1")).to_contain_text("Live")  # the page asks again by itself
    page.goto("/projects/plain/environments/production")
    page.get_by_label("Drop a zip").set_input_files(zip_file(tmp_path, "next.zip", {"index.html": "two"}))
    page.get_by_role("button", name="Deploy").click()
    expect(page.locator("h1")).to_contain_text("Live")
    page.goto("/projects/plain/environments/production")
    page.get_by_role("link", name="Roll back to #1").click()
    page.get_by_role("button", name="Roll back").click()
    expect(page.locator("h1")).to_contain_text("Live")
    assert server.visit("plain").text == SITE["index.html"]
    page.goto("/projects/plain/settings")
    page.get_by_role("link", name="Delete project…").click()
    page.get_by_label("Type plain to delete it").fill("plane")
    page.get_by_role("button", name="Delete plain").click()
    expect(page.get_by_role("alert")).to_contain_text("Type plain to delete it")
    page.get_by_label("Type plain to delete it").fill("plain")
    page.get_by_role("button", name="Delete plain").click()
    expect(page.get_by_text("Project deleted")).to_be_visible()
    assert server.ask("GET", "/projects/plain").status_code == 404


def test_a_refused_zip_says_why_without_script(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    page = open_tab(server, java_script_enabled=False)
    server.project("refusing")
    page.goto("/projects/refusing/environments/production")
    path = tmp_path / "evil.zip"
    path.write_bytes(zipped({"../evil.html": "x"}))
    page.get_by_label("Drop a zip").set_input_files(path)
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("heading", name="evil.zip was not taken")).to_be_visible()
    expect(page.locator(".notice")).to_contain_text("../evil.html")


def test_a_drop_anywhere_on_the_page(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    server.deploy(server.project("dropped"), SITE)
    page = open_tab(server)
    page.goto("/projects/dropped")
    path = zip_file(tmp_path, "site.zip", {"index.html": "dropped here"})
    drag(page, path, "h1")
    expect(page.get_by_text("Let go to deploy to dropped, production")).to_be_visible()
    page.evaluate("window.letGo()")
    page.wait_for_url("**/deployments/*")
    expect(page.locator("h1")).to_contain_text("Live")
    assert server.visit("dropped").text == "dropped here"


def test_a_drop_on_a_row_goes_there(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    server.deploy(server.project("rowed"), SITE)
    server.ask("POST", "/projects/rowed/environments", json={"name": "staging"})
    page = open_tab(server)
    page.goto("/projects/rowed")
    drag(page, zip_file(tmp_path, "site.zip", {"index.html": "staged"}), "#environment-staging td")
    expect(page.get_by_text("Let go to deploy to rowed, staging")).to_be_visible()
    page.evaluate("window.letGo()")
    page.wait_for_url("**/deployments/*")
    expect(page.locator("h1")).to_contain_text("Live")
    assert server.visit("staging.rowed").text == "staged"
    assert server.visit("rowed").text == SITE["index.html"]


def test_an_upload_shows_its_progress_and_can_be_cancelled(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    server.project("progress")
    page = open_tab(server)
    page.goto("/projects/progress/environments/production")
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    slow.send("Network.emulateNetworkConditions", limits)
    path = zip_file(tmp_path, "big.zip", {"index.html": "x", "noise.bin": Random(1).randbytes(3_000_000)})
    page.get_by_label("Drop a zip").set_input_files(path)
    page.get_by_role("button", name="Deploy").click()
    busy = page.locator(".drop.busy")
    expect(busy.get_by_text("big.zip")).to_be_visible()
    expect(busy.locator("output")).to_have_text(re.compile(r"^[\d.]+ [kM]B of 3\.0 MB, \d+%$"))
    expect(busy.get_by_text("to progress, production")).to_be_visible()
    expect(busy.locator(".left")).to_have_text(re.compile(r"^about [\d.]+ s left, [\d.]+ kB/s$"))
    first = busy.locator("progress").evaluate("bar => bar.value")
    page.wait_for_function("before => document.querySelector('.drop.busy progress').value > before", arg=first)
    busy.get_by_role("button", name="Cancel upload").click()
    expect(page.get_by_text("Drop a zip of a built site")).to_be_visible()
    assert server.get("/deployments?project=progress")["items"] == []
    slow.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": -1})
    page.get_by_label("Drop a zip").set_input_files(path)
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/deployments/*")
    expect(page.locator("h1")).to_contain_text("Live")


def test_refusals_are_said_in_place(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    server.project("in-place")
    page = open_tab(server)
    page.goto("/projects/in-place/environments/production")
    zone, refused = page.get_by_label("Drop a zip"), page.locator(".refused")
    evil = tmp_path / "evil.zip"
    evil.write_bytes(zipped({"..\\<img src=x onerror=alert(1)>.html": "x"}))
    zone.set_input_files(evil)
    page.get_by_role("button", name="Deploy").click()
    expect(refused).to_contain_text("evil.zip was not taken.")
    expect(refused).to_contain_text("backslash")
    expect(refused).to_contain_text("Nothing was changed.")
    assert refused.locator("img").count() == 0
    other = tmp_path / "site.tar"
    other.write_bytes(b"tar")
    zone.set_input_files(other)
    page.get_by_role("button", name="Deploy").click()
    expect(refused).to_contain_text("site.tar was not taken: it is no zip.")
    assert page.url.endswith("/environments/production")


def test_a_running_deployment_is_live_and_nothing_jumps(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    server.deploy(server.project("watched"), SITE)
    page = open_tab(server)
    page.goto("/projects/watched/environments/production")
    page.get_by_label("Drop a zip").set_input_files(large_zip(tmp_path))
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/deployments/*")
    page.evaluate(SHIFTS)
    expect(page.locator("#sentence")).to_contain_text(re.compile(r"Unpacking: [\d,]+ of 15,001 files"))
    expect(page.locator("#sentence")).to_contain_text("Until this one is live, production serves #1.")
    expect(page.locator("progress")).to_have_attribute("max", "15001")
    expect(page.locator(".log .state")).to_contain_text("Following")
    expect(page.locator(".log li").filter(has_text="15,001 files").first).to_be_visible()
    expect(page.locator("h1")).to_contain_text("Live", timeout=60_000)
    expect(page.locator(".log .state")).to_contain_text("Ended")
    expect(page.locator(".steps > .done")).to_have_count(7)
    expect(page.locator("#permanent").get_by_role("link")).to_be_visible()
    expect(page).to_have_title("Succeeded: #2, watched production · Homeport")
    numbers = page.locator(".log li > a").all_inner_texts()
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert page.evaluate("window.shifted") < 0.01, page.evaluate("window.shifts")


def test_a_failure_comes_live_with_what_to_do(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    """One byte of the last file is damaged: found only after everything before it was unpacked."""
    server.deploy(server.project("failing"), SITE)
    path = large_zip(tmp_path, 12_000)
    data = bytearray(path.read_bytes())
    data[data.rindex(b"<p>11999</p>") + 3] ^= 0x01
    path.write_bytes(data)
    page = open_tab(server)
    page.goto("/projects/failing/environments/production")
    page.get_by_label("Drop a zip").set_input_files(path)
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/deployments/*")
    page.evaluate(SHIFTS)
    expect(page.get_by_text("#1 is still live.")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    expect(page.locator(".failure h2")).to_contain_text("pages/11999.html")
    expect(page.locator("#status")).to_contain_text("Failed")
    page.get_by_role("link", name=re.compile("See it in the log, line")).click()
    expect(page.locator(".log li:target")).to_contain_text("Error: ")
    assert page.evaluate("window.shifted") < 0.01, page.evaluate("window.shifts")
    assert server.visit("failing").text == SITE["index.html"]


def test_a_running_deployment_can_be_cancelled(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    server.deploy(server.project("stopped"), SITE)
    page = open_tab(server)
    page.goto("/projects/stopped/environments/production")
    page.get_by_label("Drop a zip").set_input_files(large_zip(tmp_path))
    page.get_by_role("button", name="Deploy").click()
    page.get_by_role("button", name="Cancel deployment").click()
    expect(page.locator("#status")).to_contain_text("Cancelled")
    expect(page.locator("#sentence")).to_contain_text(f"It was stopped by {EMAIL}. production serves #1.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("h1")).to_contain_text("Deployment 3")
    expect(page.locator("#status")).to_contain_text("Live", timeout=60_000)


def test_lists_say_what_changes_without_a_reload(server: Appliance, open_tab: Open) -> None:
    server.project("listed")
    page = open_tab(server)
    page.goto("/projects/listed")
    page.evaluate("window.loaded = true")
    row = page.locator("#environment-production")
    expect(row).to_contain_text("Nothing live")
    server.deploy("listed", SITE)
    expect(row).to_contain_text("Live")
    expect(row.get_by_role("link", name="#1")).to_be_visible()
    expect(page.get_by_text("1 of 3")).to_be_visible()
    server.deploy("listed", {"index.html": "two"})
    expect(row.get_by_role("link", name="#2")).to_be_visible()
    assert page.evaluate("window.loaded")


def test_new_rows_wait_behind_a_link(server: Appliance, open_tab: Open) -> None:
    server.deploy(server.project("rows"), SITE)
    page = open_tab(server)
    page.goto("/projects/rows/deployments")
    server.deploy("rows", {"index.html": "two"})
    page.get_by_role("link", name="1 new").click()
    expect(page.locator("#all-rows tr")).to_have_count(2)


def test_the_log_can_be_searched_narrowed_and_filled(server: Appliance, open_tab: Open) -> None:
    made = server.deploy(server.project("logged"), {**SITE, ".env.production": "secret=1"})
    page = open_tab(server)
    page.goto(f"/deployments/{made['id']}")
    find = page.get_by_label("Find in the log")
    find.fill("left out")
    expect(page.locator(".log .hits")).to_have_text("1 of 1 found")
    find.fill("no such words")
    expect(page.locator(".log .hits")).to_have_text("Not in the log")
    find.fill("")
    lines = page.locator(".log li:visible").count()
    page.get_by_label("Only warnings and errors").check()
    assert 0 < page.locator(".log li:visible").count() < lines
    page.get_by_label("Times").uncheck()
    expect(page.locator(".log li time:visible")).to_have_count(0)
    page.get_by_role("button", name="Full screen").click()
    expect(page.locator(".log")).to_have_class(re.compile("full"))
    page.keyboard.press("Escape")
    expect(page.locator(".log")).not_to_have_class(re.compile("full"))
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download", exact=True).click()
    assert downloading.value.suggested_filename == "logged-1.log"
    assert "Left out" in downloading.value.path().read_text()


def test_going_back_and_promoting_ask_first(server: Appliance, open_tab: Open) -> None:
    server.deploy(server.project("asked"), SITE)
    server.deploy("asked", {"index.html": "two"})
    server.ask("POST", "/projects/asked/environments", json={"name": "staging"})
    server.deploy("asked", {"index.html": "staged"}, "staging")
    page = open_tab(server)
    page.goto("/projects/asked")
    page.get_by_role("link", name="Roll back", exact=True).click()
    dialog = page.get_by_role("dialog", name="Roll back asked, production")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Roll back", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Roll back to #1").click()
    expect(page.locator("#status")).to_contain_text("Live")
    assert server.visit("asked").text == SITE["index.html"]
    page.goto("/projects/asked")
    page.get_by_role("link", name="Promote", exact=True).click()
    page.get_by_role("button", name="Promote #3").click()
    expect(page.locator("#status")).to_contain_text("Live")
    assert server.visit("asked").text == "staged"


def test_a_url_from_added_to_removed(server: Appliance, open_tab: Open) -> None:
    server.deploy(server.project("named"), SITE)
    page = open_tab(server)
    page.goto("/urls")
    page.get_by_label("Host name").fill("http://named.example.com/")
    page.get_by_label("Points at").select_option("named/production")
    page.get_by_role("button", name="Add URL").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter a host name alone")
    page.get_by_label("Host name").fill("named.example.com")
    page.get_by_role("button", name="Add URL").click()
    row = page.locator("#url-named-example-com")
    expect(row).to_contain_text("Active")
    assert server.visit("named.example.com.").text == SITE["index.html"]
    row.get_by_role("link", name="Remove named.example.com…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove URL").click()
    expect(page.get_by_text("URL removed")).to_be_visible()
    expect(row).to_have_count(0)


def test_a_page_that_looks_again_leaves_the_word_of_success_for_the_next_page(
    server: Appliance, open_tab: Open
) -> None:
    """What was done is live news too: the page that asked for it looks again before it is left."""
    server.project("worded")
    page = open_tab(server)
    page.goto("/projects/worded")
    page.context.add_cookies([{"name": "done", "value": "url-removed", "url": server.url}])
    server.deploy("worded", SITE)
    expect(page.locator("#environment-production").get_by_role("link", name="#1", exact=True)).to_be_visible()
    page.goto("/urls")
    expect(page.get_by_text("URL removed")).to_be_visible()
    page.reload()
    expect(page.get_by_text("URL removed")).to_have_count(0)


def test_a_key_is_shown_once_and_works(server: Appliance, open_tab: Open) -> None:
    page = open_tab(server, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/settings/keys")
    page.get_by_label("Name").fill("nightly build")
    page.get_by_role("button", name="Create key").click()
    key = page.get_by_label("The new key").input_value()
    expect(page.locator("#try")).to_contain_text(f"export HOMEPORT_KEY={key}")
    expect(page.locator("#try")).to_contain_text(f"export HOMEPORT_SERVER={server.url}")
    page.get_by_role("button", name="Copy key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    bearer = {"Authorization": f"Bearer {key}"}
    assert server.http.get(f"{server.url}/api/v1/me", headers=bearer).status_code == 200
    page.get_by_role("link", name="Done, I have copied it").click()
    assert key not in page.content()
    page.get_by_role("link", name="Revoke nightly build…").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("Key revoked")).to_be_visible()
    assert server.http.get(f"{server.url}/api/v1/me", headers=bearer).status_code == 401


def test_settings_say_what_is_not_saved(server: Appliance, open_tab: Open) -> None:
    page = open_tab(server)
    page.goto("/settings/dns")
    bar = page.locator(".savebar")
    expect(bar).to_be_hidden()
    page.get_by_label("Records point to").fill("192.0.2.10")
    expect(bar).to_contain_text("1 unsaved change")
    expect(bar).to_contain_text("Records point to")
    page.get_by_role("button", name="Discard").click()
    expect(bar).to_be_hidden()
    page.get_by_label("Records point to").fill("192.0.2.10")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Settings saved")).to_be_visible()
    expect(page.get_by_label("Records point to")).to_have_value("192.0.2.10")
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#tested")).to_contain_text("There is nothing to test.")
    server.ask("PATCH", "/settings", json={"dns_target": None})


def test_the_theme_is_kept_and_never_flashes(server: Appliance, open_tab: Open) -> None:
    page = open_tab(server, color_scheme="light")
    page.goto("/projects")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="your menu").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="your menu").click()
    page.get_by_role("button", name="System", exact=True).click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") is None


def test_dark_is_dark_by_the_system_too(server: Appliance, open_tab: Open) -> None:
    page = open_tab(server, color_scheme="dark")
    red = page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
    assert red < 40


def test_the_keyboard_goes_all_the_way(server: Appliance, open_tab: Open) -> None:
    server.deploy(server.project("keyed"), SITE)
    page = open_tab(server)
    page.goto("/projects/keyed")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".crumbs").get_by_role("link", name="Projects")).to_be_focused()
    for _ in range(60):
        seen = page.evaluate("getComputedStyle(document.activeElement).outlineStyle + document.activeElement.className")
        assert not seen.startswith("none") or "go" in seen, page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "More for production":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#menu-production")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#menu-production").get_by_role("link", name="Open")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="More for production")).to_be_focused()


def test_live_words_leave_an_open_menu_alone(server: Appliance, open_tab: Open) -> None:
    server.deploy(server.project("menu"), SITE)
    page = open_tab(server)
    page.goto("/projects/menu")
    page.get_by_role("button", name="More for production").click()
    menu = page.locator("#menu-production")
    expect(menu).to_be_visible()
    page.get_by_role("link", name="Download the live bundle").focus()
    server.deploy("menu", {"index.html": "two"})
    expect(page.locator("#environment-production").get_by_role("link", name="#2", exact=True)).to_be_visible()
    expect(menu).to_be_visible()
    expect(page.get_by_role("link", name="Download the live bundle")).to_be_focused()


def test_the_api_can_be_tried_from_its_docs(server: Appliance, open_tab: Open) -> None:
    server.project("tried")
    page = open_tab(server)
    page.goto("/docs#projects-project-get")
    form = page.get_by_role("form", name="Try GET /api/v1/projects/{project}", exact=True)
    form.get_by_label("project").fill("tried")
    form.get_by_role("button", name="Send GET").click()
    expect(form.locator(".answer")).to_contain_text("200")
    expect(form.locator(".answer pre")).to_contain_text('"name": "tried"')


def test_what_people_and_machines_write_is_never_markup(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    """A name in a zip, a file name, a key's name: each comes back as text."""
    nasty = "<img src=x onerror=document.title='ran'>"
    server.deploy(server.project("nasty"), {"index.html": "x", f".env.{nasty}": "y"})
    made = server.get("/deployments?project=nasty")["items"][0]
    server.ask("POST", "/keys", json={"name": nasty})
    page = open_tab(server)
    for path in (f"/deployments/{made['id']}", "/settings/keys", "/activity", f"/projects?q={nasty}"):
        page.goto(path)
        assert page.locator("img").count() == 0
        assert "ran" not in page.title()
    log = server.data / "logs" / f"{made['id']}.log"
    with log.open("ab") as lines:
        lines.write(
            f"2026-01-01T00:00:00.000Z\tprobe\terror\t\x1b[31m{nasty}\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07\n".encode()
        )
        lines.write(b"2026-01-01T00:00:00.000Z\tprobe\tinfo\t" + b"a" * 1_000_000 + b"\n")
        lines.write(b"2026-01-01T00:00:00.000Z\tprobe\tinfo\t\xff\xfe not UTF-8 \xc3\n")
    page.goto(f"/deployments/{made['id']}")
    error = page.locator(".log li.error > span")
    assert error.inner_text() == f"Error: {nasty}x"
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert len(page.locator(".log li").last.inner_text()) < 200


def test_typing_in_the_search_narrows_the_list(server: Appliance, open_tab: Open) -> None:
    for name in ("narrow-one", "narrow-two"):
        server.project(name)
    page = open_tab(server)
    page.goto("/projects")
    page.get_by_label("Search projects").press_sequentially("narrow-tw")
    expect(page.locator("#project-narrow-one")).to_have_count(0)
    expect(page.locator("#project-narrow-two")).to_be_visible()
    expect(page.get_by_label("Search projects")).to_be_focused()
    assert page.url.endswith("/projects?q=narrow-tw")
    page.goto("/deployments")
    page.get_by_label("Status").select_option("cancelled")
    expect(page.get_by_role("heading", name="Some deployments")).to_be_visible()
    assert "status=cancelled" in page.url


def test_a_lost_stream_says_so_and_goes_on_where_it_was(open_tab: Open, complaints: list[str], tmp_path: Path) -> None:
    """The server is killed in the middle and started again: the page follows on by itself."""
    with Appliance(tmp_path / "data") as server:
        server.project("lost")
        page = open_tab(server)
        page.goto("/projects/lost/environments/production")
        page.get_by_label("Drop a zip").set_input_files(large_zip(tmp_path, 40_000))
        page.get_by_role("button", name="Deploy").click()
        expect(page.locator(".log .state")).to_contain_text("Following")
        server.kill()
        expect(page.locator(".log .state")).to_contain_text(re.compile(r"Reconnecting, \d+ lines so far"))
        server.start()
        expect(page.locator(".log .state")).to_contain_text("Ended", timeout=60_000)
        expect(page.locator("#status")).to_contain_text("Live")
        numbers = page.locator(".log li > a").all_inner_texts()
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
        expect(page.locator(".log li").filter(has_text="it begins again")).to_be_visible()
        page.close()
        complaints[:] = [one for one in complaints if "net::" not in one]  # it was away for a moment, as meant


def test_what_is_too_large_is_refused_before_it_is_sent(open_tab: Open, tmp_path: Path) -> None:
    with Appliance(tmp_path / "data", HOMEPORT_UPLOAD_MAX="1M") as server:
        path = zip_file(tmp_path, "film.zip", {"index.html": "x", "film.bin": Random(2).randbytes(1_500_000)})
        page = open_tab(server)
        page.get_by_label("Drop a zip").set_input_files(path)
        sent: list[str] = []
        page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
        page.get_by_role("button", name="Deploy").click()
        expect(page.locator(".refused")).to_contain_text(
            "film.zip was not taken: it is 1.5 MB, and this host takes at most 1 MiB."
        )
        assert sent == []
        plain = open_tab(server, java_script_enabled=False)
        plain.get_by_label("Drop a zip").set_input_files(path)
        plain.get_by_role("button", name="Deploy").click()
        expect(plain.get_by_role("heading", name=re.compile("was not taken"))).to_be_visible()
        expect(plain.locator(".notice")).to_contain_text("larger than 1 MiB")
        page.close()
        plain.close()
