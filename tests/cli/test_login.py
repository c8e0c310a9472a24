"""Signing in and out, and which server a command speaks to as whom."""

import json
from pathlib import Path

import pytest

from appliance.cli import logins
from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.cli.drive import Cli


def stored(cli: Cli) -> Path:
    return Path(cli.environ["XDG_CONFIG_HOME"]) / "homeport" / "login.json"


def sign_in(cli: Cli, server: Appliance) -> str:
    cli("login", server.url, "--email", EMAIL, stdin=f"{PASSWORD}\n")
    token: str = json.loads(stored(cli).read_text())[server.url]
    return token


def test_in_and_out_again(server: Appliance, alone: Cli) -> None:
    result = alone("login", f"{server.url}/projects", "--email", EMAIL, stdin=f"{PASSWORD}\n")
    assert result.output == f"Signed in to {server.url} as {EMAIL}.\n"
    token = json.loads(stored(alone).read_text())[server.url]
    assert stored(alone).stat().st_mode & 0o777 == 0o600
    assert stored(alone).parent.stat().st_mode & 0o777 == 0o700
    assert alone("whoami").stdout == f"{EMAIL} at {server.url}\n"
    assert alone.json("whoami")["email"] == EMAIL
    assert alone("logout").stderr == f"Signed out of {server.url}.\n"
    assert token not in stored(alone).read_text()
    assert "You are not signed in anywhere." in alone("whoami", code=3).stderr
    ended = alone("whoami", code=3, HOMEPORT_SERVER=server.url, HOMEPORT_KEY=token)
    assert token not in ended.output


def test_a_wrong_password_stores_nothing(server: Appliance, alone: Cli) -> None:
    refused = alone("login", server.url, "--email", "nobody@example.com", stdin="something wrong\n", code=3)
    assert refused.stderr == "Error: The e-mail address or the password is wrong.\n"
    assert not stored(alone).exists()


def test_nobody_to_ask_is_said(server: Appliance, alone: Cli) -> None:
    assert "--email" in alone("login", server.url, code=1, stdin="").stderr
    assert "No password was given." in alone("login", server.url, "--email", EMAIL, code=1, stdin="").stderr


def test_a_key_can_be_stored(server: Appliance, alone: Cli) -> None:
    result = alone("login", server.url, "--key", "-", stdin=f"{server.key}\n")
    assert server.key not in result.output
    assert alone("projects", "list").exit_code == 0
    assert "works until it is revoked" in alone("logout").stderr
    assert alone("whoami", HOMEPORT_SERVER=server.url, HOMEPORT_KEY=server.key).exit_code == 0


def test_a_key_that_is_wrong_is_not_stored(server: Appliance, alone: Cli) -> None:
    assert "hp_nope" not in alone("login", server.url, "--key", "hp_nope", code=3).output
    assert "That is not a key." in alone("login", server.url, "--key", "two words", code=1).stderr
    assert not stored(alone).exists()


def test_the_last_login_counts_and_others_are_kept(server: Appliance, alone: Cli) -> None:
    other = server.url.replace("127.0.0.1", "localhost")
    alone("login", other, "--key", "-", stdin=server.key)
    sign_in(alone, server)
    assert server.url in alone("whoami").stdout
    assert other in alone("whoami", "--server", other).stdout
    alone("logout", "--server", server.url)
    assert other in alone("whoami").stdout
    assert "No login is stored for" in alone("logout", "--server", server.url, code=3).stderr


def test_a_session_that_is_over_can_be_logged_out(server: Appliance, alone: Cli) -> None:
    token = sign_in(alone, server)
    server.http.post(f"{server.url}/api/v1/logout", headers={"Authorization": f"Bearer {token}"})
    assert "Run `homeport login`" in alone("whoami", code=3).stderr
    alone("logout")
    assert json.loads(stored(alone).read_text()) == {}


def test_the_environment_stands_in_for_login(server: Appliance, alone: Cli) -> None:
    assert "Set HOMEPORT_SERVER too." in alone("whoami", code=3, HOMEPORT_KEY=server.key).stderr
    refused = alone("whoami", code=3, HOMEPORT_SERVER=server.url)
    assert f"You are not signed in at {server.url}." in refused.stderr
    alone("whoami", HOMEPORT_SERVER=f"{server.url}/", HOMEPORT_KEY=f" {server.key}\n")
    assert not stored(alone).exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', "\xff"])
def test_a_broken_login_file_is_named(alone: Cli, content: str) -> None:
    stored(alone).parent.mkdir(parents=True)
    stored(alone).write_text(content, "latin-1")
    refused = alone("whoami", code=1).stderr
    assert str(stored(alone)) in refused
    assert "Remove it" in refused


@pytest.mark.parametrize("given", ["ftp://example.com", "http://a b", "http://me:secret@example.com"])
def test_what_is_no_server_is_refused(alone: Cli, given: str) -> None:
    assert "address" in alone("login", given, "--key", "hp_x", code=1).stderr


@pytest.mark.parametrize(
    ("server", "warns"),
    [
        ("http://1.1.1.1", True),
        ("http://[2606:4700::1111]:8420", True),
        ("https://1.1.1.1", False),
        ("http://127.0.0.1:8420", False),
        ("http://blog.localhost:8420", False),
        ("http://10.1.2.3", False),
        ("http://192.168.1.9:8420", False),
        ("http://[fd00::9]", False),
        ("http://nowhere.invalid", False),
    ],
)
def test_plain_http_across_the_world_is_warned_of(server: str, warns: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logins.warn_of_plain_http(server)
    said = capsys.readouterr().err
    assert ("is not encrypted" in said) is warns
