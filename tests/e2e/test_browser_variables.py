"""Variables in a real browser: what is typed there is what is kept, byte for byte."""

import pytest
from playwright.sync_api import expect

from tests.appliance import Appliance
from tests.e2e.conftest import Open

pytestmark = pytest.mark.browser

ODD = "\n two\n\tlines, \"quotes\", 'more', $HOME `x` \\n <b>&amp; é😀 \u2028 and spaces  \n\n"


def kept(server: Appliance, project: str) -> dict[str, str | None]:
    items = server.get(f"/projects/{project}/environments/production/variables")["items"]
    return {one["name"]: one["value"] for one in items}


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without"])
def test_set_change_and_apply(server: Appliance, open_tab: Open, *, script: bool) -> None:
    project = server.project(f"browsed-variables-{'with' if script else 'without'}")
    server.deploy(project, {"index.html": "hello"})
    page = open_tab(server, java_script_enabled=script)
    page.goto(f"/projects/{project}/environments/production/variables")
    page.get_by_label("Name", exact=True).fill("ODD")
    page.get_by_label("Value").fill(ODD)
    page.get_by_role("button", name="Set variable").click()
    expect(page.get_by_role("link", name="Change ODD")).to_be_visible()
    assert kept(server, project) == {"ODD": ODD}

    page.get_by_role("link", name="Change ODD").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Value")).to_have_value(ODD)
    dialog.get_by_label("Secret").check()
    dialog.get_by_role("button", name="Save ODD").click()
    expect(page.get_by_role("row", name="ODD Secret")).to_be_visible()
    assert kept(server, project) == {"ODD": None}

    page.get_by_role("link", name="Import a .env file").click()
    page.get_by_label("What the .env file says").fill("ODD=\nREGION='eu'\n")
    page.get_by_role("button", name="Show what it changes").click()
    expect(page.get_by_role("row", name="ODD")).to_contain_text("A secret, stays as it is")
    page.get_by_role("button", name="Import 2 variables").click()
    expect(page.get_by_text("2 variables saved but not live yet")).to_be_visible()
    assert kept(server, project) == {"ODD": None, "REGION": "eu"}

    page.get_by_role("button", name="Apply: #1 goes live once more").click()
    page.wait_for_url("**/deployments/*")
    page.goto(f"/projects/{project}/environments/production")
    expect(page.get_by_text("New variables for #1")).to_be_visible()
