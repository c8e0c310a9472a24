"""`homeport settings`: as people and scripts use it."""

from pathlib import Path

from tests.appliance import Appliance
from tests.cli.drive import Cli


def test_a_setting_from_its_saving_to_its_end(server: Appliance, cli: Cli) -> None:
    assert cli("settings", "set", "dns_target", "192.0.2.10").stderr == "dns_target is 192.0.2.10.\n"
    assert cli("settings", "get", "HOMEPORT_DNS_TARGET").stdout == "192.0.2.10\n"
    assert cli.json("settings", "get") == server.get("/settings")
    assert "192.0.2.10" in cli("settings", "get").stdout
    assert cli("settings", "set", "dns_target", "-", stdin="192.0.2.11\n").stderr == "dns_target is 192.0.2.11.\n"
    assert cli("settings", "unset", "dns-target").stderr == "dns_target is empty.\n"
    assert cli("settings", "get", "dns_target").stdout == "\n"


def test_a_secret_comes_by_standard_input_and_never_back(cli: Cli) -> None:
    refused = cli("settings", "set", "cloudflare_token", "in-the-history", code=1).stderr
    assert "would stay in the shell's history" in refused and "in-the-history" not in refused
    said = cli("settings", "set", "cloudflare_token", stdin="by-standard-input\n")
    assert (said.stdout, said.stderr) == ("", "cloudflare_token is set.\n")
    shown = cli("settings", "get").output + cli("settings", "get", "cloudflare_token", "--json").output
    assert "by-standard-input" not in shown and "(set, never shown)" in shown
    assert cli("settings", "get", "cloudflare_token").stderr == "A value is set. It is never shown.\n"
    assert cli("settings", "unset", "cloudflare_token").stderr == "cloudflare_token is not set.\n"


def test_what_is_wrong_is_said_with_what_may_be_meant(cli: Cli) -> None:
    assert "Did you mean dns_target?" in cli("settings", "set", "dns_traget", "192.0.2.1", code=1).stderr
    assert "can't be used" in cli("settings", "set", "backup_hour", "25", code=1).stderr
    assert "No value was given" in cli("settings", "set", "backup_hour", stdin="", code=1).stderr


def test_a_test_ends_as_it_went(cli: Cli, tmp_path: Path) -> None:
    there = tmp_path / "kept"
    there.mkdir()
    cli("settings", "set", "backup_folder", there)
    assert f"Homeport can write, read and delete in {there}." in cli("settings", "test", "backups").stdout
    cli("settings", "unset", "backup_folder")
    assert "No mail server is set. Enter its host" in cli("settings", "test", "mail", code=1).stdout
    assert "There is no test called weather" in cli("settings", "test", "weather", code=1).stderr
