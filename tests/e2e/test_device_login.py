"""Signing in at a real terminal by a yes in a real browser."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.appliance import Appliance
from tests.cli.drive import Cli, Terminal
from tests.e2e.conftest import Open

pytestmark = pytest.mark.browser


def begin(server: Appliance, where: Path, page: Page) -> tuple[Cli, Terminal]:
    """As somebody does it: the command, then the address that it shows."""
    cli = Cli({f"XDG_{name}_HOME": str(where / name.lower()) for name in ("CONFIG", "DATA", "CACHE")})
    terminal = cli.terminal("login", server.url, DISPLAY="", WAYLAND_DISPLAY="")
    shown = terminal.until("Waiting for your answer")
    code = re.findall(r"\s([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})\s", shown)[-1]
    page.goto("/device")
    page.get_by_label("Code").fill(code.lower())
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(code)).to_be_visible()
    return cli, terminal


def logins(cli: Cli) -> dict[str, str]:
    path = Path(cli.environ["XDG_CONFIG_HOME"]) / "homeport" / "login.json"
    found: dict[str, str] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_yes_signs_the_terminal_in(server: Appliance, open_tab: Open, tmp_path: Path, script: bool) -> None:
    page = open_tab(server, java_script_enabled=script)
    cli, terminal = begin(server, tmp_path, page)
    expect(page.locator("dd", has_text="127.0.0.1")).to_be_visible()
    expect(page.get_by_text("Say yes only if you ran")).to_be_visible()
    page.get_by_label("Name of the key").fill("my laptop")
    page.get_by_label("May do").select_option("read")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Allowed")).to_be_visible()
    assert terminal.end() == 0
    assert f"Signed in to {server.url}" in terminal.shown
    key = logins(cli)[server.url]
    assert key.startswith("hp_") and key not in terminal.shown
    assert cli("projects", "list").exit_code == 0
    assert cli("projects", "create", "not-allowed", code=3).exit_code == 3
    assert mine(server)["permissions"] and mine(server)["expires_at"]
    cli("logout")
    me = server.http.get(f"{server.url}/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert me.status_code == 401, "signing out revokes it"


def test_a_no_signs_nobody_in(server: Appliance, open_tab: Open, tmp_path: Path) -> None:
    page = open_tab(server)
    cli, terminal = begin(server, tmp_path, page)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Denied")).to_be_visible()
    assert terminal.end() != 0
    assert "Somebody said no to this login." in terminal.shown
    assert not (Path(cli.environ["XDG_CONFIG_HOME"]) / "homeport" / "login.json").exists()


def mine(server: Appliance) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in server.get("/keys")["items"] if one["name"] == "my laptop")
    return found
