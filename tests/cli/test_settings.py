"""`homeport settings`: as people and scripts use it."""

import json
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


def test_settings_go_out_as_a_file_and_come_back(cli: Cli, tmp_path: Path) -> None:
    cli("settings", "set", "backup_hour", "5")
    file = tmp_path / "settings.yaml"
    assert cli("settings", "export", "-o", file).stderr == f"Wrote {file}.\n"
    assert cli("settings", "export").stdout == file.read_text()
    assert cli("settings", "import", file).stderr == "The settings are like this already.\n"
    file.write_text(file.read_text().replace("  backup_hour: 5\n", "  backup_hour: 6\n"))
    looked = cli("settings", "import", file, "--dry-run")
    assert "-  backup_hour: 5\n+  backup_hour: 6\n" in looked.stdout
    assert looked.stderr == "1 setting would change.\n"
    assert "Add --yes." in cli("settings", "import", file, code=1).stderr
    assert cli("settings", "get", "backup_hour").stdout == "5\n"
    assert cli("settings", "import", file, "--yes").stderr == "1 setting changed.\n"
    assert cli.json("settings", "import", file) == {"changes": [], "diff": "", "applied": False}
    assert cli("settings", "get", "backup_hour").stdout == "6\n"
    refused = cli("settings", "import", "-", stdin="version: 1\nsettings:\n  backup_huor: 6\n", code=1)
    assert "There is no setting called backup_huor; there is backup_hour." in refused.stderr
    cli("settings", "unset", "backup_hour")


def test_the_log_of_the_process_at_a_terminal(server: Appliance, cli: Cli) -> None:
    assert cli.json("log", "--limit", 200)["items"] == server.get("/log?limit=200")["items"]
    assert "Homeport 0." in cli("log", "--area", "homeport", "--search", "answers at").stdout
    assert cli("log", "--search", "nothing says this").stderr == "No line like that.\n"
    assert "'weather' is not one of" in cli("log", "--area", "weather", code=2).stderr


def test_the_log_of_the_process_is_followed(server: Appliance, cli: Cli) -> None:
    process = cli.process("log", "--follow", "--json", "--search", "followed.example.org")
    try:
        server.deploy(server.project("followed-log"), {"index.html": "x"})
        server.ask("POST", "/projects/followed-log/environments/production/urls", json={"host": "followed.example.org"})
        assert process.stdout
        assert json.loads(process.stdout.readline())["text"] == "followed.example.org is in force."
    finally:
        process.terminate()
        process.communicate(timeout=20)
