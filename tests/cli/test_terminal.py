"""At a terminal: colour, a bar while uploading, a password that isn't shown, widths that fit."""

import re
from pathlib import Path

import pytest

from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.cli.drive import Cli

COLOUR = re.compile(r"\x1b\[\d*m")


def test_a_password_is_asked_for_and_not_shown(server: Appliance, alone: Cli) -> None:
    terminal = alone.terminal("login", server.url, "--password")
    terminal.until("E-mail: ")
    terminal.press(f"{EMAIL}\n")
    terminal.until("Password: ")
    terminal.press(f"{PASSWORD}\n")
    assert terminal.end() == 0
    assert PASSWORD not in terminal.shown
    assert f"Signed in to {server.url} as {EMAIL}." in terminal.shown


def test_an_upload_shows_a_bar_and_colour(cli: Cli, name: str, site: Path) -> None:
    terminal = cli.terminal("deploy", site, "--create")
    assert terminal.end() == 0
    assert "100%" in terminal.shown
    assert f"is live.\r\nhttp://{name}.localhost" in terminal.shown
    listed = cli.terminal("deployments", "list", "-p", name)
    assert listed.end() == 0
    assert COLOUR.search(listed.shown)


def test_no_color_is_honoured(cli: Cli) -> None:
    for words in (("projects", "list"), ("projects", "show", "nothing")):
        terminal = cli.terminal(*words, NO_COLOR="1")
        terminal.end()
        assert not COLOUR.search(terminal.shown)


def test_a_table_fits(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    server.deploy(name, {"index.html": "x"})
    terminal = cli.terminal("deployments", "list", "-p", name)
    assert terminal.end() == 0
    lines = COLOUR.sub("", terminal.shown).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[1].startswith(f"{server.get('/deployments', params={'project': name})['items'][0]['id']}  #1")


def test_deleting_asks_first(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    kept = cli.terminal("projects", "delete", name)
    kept.until("[y/N]: ")
    kept.press("n\n")
    assert kept.end() == 1
    assert "Nothing was deleted." in kept.shown
    gone = cli.terminal("projects", "delete", name)
    gone.until("[y/N]: ")
    gone.press("y\n")
    assert gone.end() == 0
    assert f"Deleted project {name}." in gone.shown


@pytest.mark.parametrize(("words", "waits"), [(("--password",), "E-mail: "), ((), "/device?code=")])
def test_ctrl_c_while_it_waits_is_quiet(server: Appliance, alone: Cli, words: tuple[str, ...], waits: str) -> None:
    terminal = alone.terminal("login", server.url, *words, DISPLAY="", WAYLAND_DISPLAY="")
    terminal.until(waits)
    assert terminal.end(insist="\x03") in (1, 130, -2)  # again, for it may come too early, or while it ends
    assert "Traceback" not in terminal.shown


def test_open_opens_a_browser(server: Appliance, cli: Cli, name: str, tmp_path: Path) -> None:
    server.project(name)
    server.deploy(name, {"index.html": "x"})
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o755)
    terminal = cli.terminal("open", "-p", name, BROWSER=f"{browser} %s")
    assert terminal.end() == 0
    assert opened.read_text() == f"http://{name}.localhost:{server.port}/\n"
    opened.unlink()
    cli("open", "-p", name, BROWSER=f"{browser} %s")
    assert not opened.exists()
