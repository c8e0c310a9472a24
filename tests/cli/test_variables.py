"""`homeport variables`."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.appliance import Appliance
from tests.cli.drive import Cli

TEXTS = st.text(alphabet="ab \t\n\r'\"\\$`#=%é😀\u2028<>&", max_size=30)


def test_set_list_and_unset(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    where = ("--project", name)
    assert "No variables yet" in cli("variables", "list", *where).stderr
    cli("variables", "set", "REGION", "eu", *where, "--shared")
    cli("variables", "set", "REGION", "us", *where)
    cli("variables", "set", "TEXT", "one\ntwo", *where)
    made = cli("variables", "set", "KEY", "-", *where, "--secret", stdin="correct horse\n")
    assert "horse" not in made.stdout and "(secret)" in made.stdout
    shown = cli("variables", "list", *where).stdout
    assert "one (and 1 line)" in shown and "environment, not the project" in shown
    assert [one["value"] for one in cli.json("variables", "list", *where)["items"]] == [None, "us", "one\ntwo"]
    assert [one["value"] for one in cli.json("variables", "list", *where, "--shared")["items"]] == ["eu"]
    assert "Add --yes" in cli("variables", "unset", "KEY", *where, code=1).stderr
    assert "no variable NOPE" in cli("variables", "unset", "KEY", "NOPE", *where, "--yes", code=1).stderr
    assert "Removed KEY, TEXT" in cli("variables", "unset", "KEY", "TEXT", *where, "--yes").stderr
    assert [one["name"] for one in cli.json("variables", "list", *where)["items"]] == ["REGION"]


def test_a_secret_is_not_taken_from_the_command_line(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    refused = cli("variables", "set", "KEY", "correct horse", "--project", name, "--secret", code=2)
    assert "Leave the value of a secret out" in refused.stderr
    assert cli.json("variables", "list", "--project", name)["items"] == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXTS)
def test_every_byte_survives(server: Appliance, cli: Cli, name: str, tmp_path: Path, value: str) -> None:
    if not server.ask("GET", f"/projects/{name}").is_success:
        server.project(name)
    where = ("--project", name)
    cli("variables", "set", "ODD", "-", "--exact", *where, stdin=value)
    assert cli.json("variables", "list", *where)["items"][0]["value"] == value
    file = tmp_path / f"{os.urandom(4).hex()}.env"
    file.write_bytes(cli("variables", "export", *where).stdout_bytes)
    cli("variables", "unset", "ODD", "--yes", *where)
    cli("variables", "import", str(file), *where)
    assert cli.json("variables", "list", *where)["items"][0]["value"] == value


@pytest.mark.parametrize(("sent", "kept"), [("x\n", "x"), ("x\n\n", "x\n"), ("x\r\n", "x"), ("x", "x"), ("\n", "")])
def test_the_newline_that_echo_adds_is_left_out(server: Appliance, cli: Cli, name: str, sent: str, kept: str) -> None:
    server.project(name)
    assert cli.json("variables", "list", "--project", name)["items"] == []
    cli("variables", "set", "A", "-", "--project", name, stdin=sent)
    assert cli.json("variables", "list", "--project", name)["items"][0]["value"] == kept


def test_what_can_not_be_sent_is_refused_in_words(server: Appliance, cli: Cli, name: str, tmp_path: Path) -> None:
    server.project(name)
    assert "NUL" in cli("variables", "set", "A", "-", "--project", name, stdin="a\0b", code=1).stderr
    (tmp_path / "latin.env").write_bytes(b"A=1\nB=\xe9\n")
    refused = cli("variables", "import", str(tmp_path / "latin.env"), "--project", name, code=1)
    assert "is not UTF-8 text: byte 7 is none" in refused.stderr
    (tmp_path / "bad.env").write_text("A=1\nB\n")
    assert (
        "Line 2: Write NAME=value"
        in cli("variables", "import", str(tmp_path / "bad.env"), "--project", name, code=1).stderr
    )
    assert cli.json("variables", "list", "--project", name)["items"] == []


def test_import_export_and_apply(server: Appliance, cli: Cli, name: str) -> None:
    server.deploy(server.project(name), {"index.html": "hello"})
    where = ("--project", name)
    seen = cli("variables", "import", "-", *where, "--dry-run", stdin="A=1\nexport B='two words'\n")
    assert "Would be" in seen.stdout and "Nothing was changed." in seen.stderr
    assert cli.json("variables", "list", *where)["items"] == []
    cli("variables", "import", "-", *where, stdin="A=1\nexport B='two words'\n")
    cli("variables", "set", "C", "3", *where, "--shared")
    assert cli("variables", "export", *where).stdout == "A=1\nB='two words'\n"
    assert cli("variables", "export", *where, "--with-shared").stdout == "A=1\nB='two words'\nC=3\n"
    assert "Saved but not live yet: A, B, C." in cli("variables", "list", *where).stderr
    applied = cli("variables", "apply", *where)
    assert "is live." in applied.stderr
    assert "not live yet" not in cli("variables", "list", *where).stderr
