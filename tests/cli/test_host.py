"""Commands on the server's host, on a data folder of their own."""

import json
import os
import sys
from pathlib import Path

import click
import pytest

from appliance.cli.host import settings
from appliance.cli.serve import serve
from appliance.machine.process import run
from tests.cli.drive import Cli

PASSWORD = "a good long password"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_people(alone: Cli, data: Path) -> None:
    where = ("--data", data)
    added = alone("user", "add", "ada@example.com", *where, stdin=f"{PASSWORD}\n")
    assert added.output == "ada@example.com can sign in now.\n"
    assert "ada@example.com" in alone("user", "list", *where).stdout
    assert [one["email"] for one in alone.json("user", "list", HOMEPORT_DATA=str(data))["items"]] == ["ada@example.com"]
    reset = alone("user", "reset-password", "ada@example.com", *where, stdin="another good password\n")
    assert reset.output == "ada@example.com has a new password.\n"
    assert "at least 12" in alone("user", "add", "b@example.com", *where, stdin="short\n", code=1).stderr
    assert "e-mail" in alone("user", "add", "nobody", *where, stdin=f"{PASSWORD}\n", code=1).stderr
    assert "ada@example.com" in alone("user", "add", "ada@example.com", *where, stdin=f"{PASSWORD}\n", code=1).stderr
    gone = alone("user", "reset-password", "c@example.com", *where, stdin=f"{PASSWORD}\n", code=1)
    assert "c@example.com" in gone.stderr
    assert PASSWORD not in "".join([added.output, reset.output, gone.output])


def test_a_set_up_link(alone: Cli, data: Path) -> None:
    link = alone("setup-link", "--data", data).stdout
    assert link.startswith("http://127.0.0.1:8420/setup?token=")
    assert alone.json("setup-link", "--data", data)["link"] != link.strip()
    alone("user", "add", "ada@example.com", "--data", data, stdin=f"{PASSWORD}\n")
    assert "set up already" in alone("setup-link", "--data", data, code=1).stderr


def test_the_doctor(alone: Cli, data: Path) -> None:
    result = alone.process("doctor", "--data", data, "--json")
    out, err = result.communicate(timeout=60)
    checks = json.loads(out)["items"]
    failed = any(check["status"] == "failed" for check in checks)
    assert result.returncode == int(failed), err
    shown = alone("doctor", "--data", data, code=int(failed)).stdout
    assert all(check["name"] in shown for check in checks)
    assert f"{len(checks)} checks" in shown


def test_a_data_folder_that_can_not_be_is_named(alone: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert str(tmp_path / "file" / "data") in alone("user", "list", "--data", tmp_path / "file" / "data", code=1).stderr


def test_a_setting_that_can_not_be_read_is_named(alone: Cli, data: Path) -> None:
    refused = alone("user", "list", "--data", data, code=1, HOMEPORT_WORKERS="many")
    assert "HOMEPORT_WORKERS is 'many'" in refused.stderr
    assert "HOMEPORT_PORT" in alone("serve", code=2, HOMEPORT_PORT="none").stderr


def test_what_is_typed_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setenv("HOMEPORT_PORT", "9001")
    monkeypatch.setenv("HOMEPORT_URL", "https://env.example.com")
    with click.Context(serve) as ctx:
        serve.parse_args(ctx, ["--url", "https://typed.example.com", "--data", str(data)])
        found = settings(**ctx.params)
    assert (found.port, found.url, found.data) == (9001, "https://typed.example.com", data)


def test_settings_know_what_was_typed_from_what_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A saved setting comes before the environment, but not before a flag: so the two must not be mixed up."""
    monkeypatch.setenv("HOMEPORT_URL", "https://env.example.com")
    with click.Context(serve) as ctx:
        serve.parse_args(ctx, [])
        assert (
            settings(**ctx.params).with_saved({"url": "https://saved.example.com"}).url == "https://saved.example.com"
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has this folder")
def test_root_keeps_its_data_under_var(alone: Cli) -> None:
    with click.Context(serve) as ctx:
        serve.parse_args(ctx, [])
        assert settings(**ctx.params).data == Path("/var/lib/homeport")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: goes on as another user")
def test_root_goes_on_as_whoever_keeps_the_data(tmp_path: Path) -> None:
    """What it runs next is stood in for by a command that says who it is, and with which words."""
    (tmp_path / "homeport.db").touch()
    os.chown(tmp_path / "homeport.db", 65534, 65534)
    ran = run(
        (sys.executable, "-m", "appliance", "user", "list", "--data", str(tmp_path)),
        cwd=Path(__file__).parents[2],
        env={**os.environ, "HOMEPORT_FILE": "/usr/bin/echo"},
    )
    assert ran.output == f"user list --data {tmp_path}\n"
    words = (
        sys.executable,
        "-c",
        "import os; from appliance.machine.process import go_on_as; go_on_as(65534, os.environ)",
        "-un",
    )
    ran = run(words, cwd=Path(__file__).parents[2], env={**os.environ, "HOMEPORT_FILE": "/usr/bin/id"})
    assert ran.output == "nobody\n"
