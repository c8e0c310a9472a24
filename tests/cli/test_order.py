"""What the command line says of the line, of a freeze, and of a rollback."""

from pathlib import Path

from tests.appliance import Appliance
from tests.cli.drive import Cli


def live(server: Appliance, name: str) -> list[str]:
    server.project(name)
    return [server.deploy(name, {"index.html": word})["id"] for word in ("one", "two")]


def test_freeze_and_thaw(server: Appliance, cli: Cli, name: str, site: Path) -> None:
    live(server, name)
    made = cli.json("environments", "freeze", "production", "-p", name, "-m", "Sale until Friday")
    assert made["frozen"]["message"] == "Sale until Friday"
    assert "Sale until Friday" in cli("environments", "show", "production", "-p", name).stdout
    assert "#2, frozen" in cli("environments", "list", "-p", name).stdout
    refused = cli("deploy", site, "-p", name, code=1)
    assert "is frozen by ci key" in refused.stderr and "Sale until Friday" in refused.stderr
    assert f"homeport environments thaw production --project {name}" in refused.stderr
    assert cli.json("environments", "thaw", "production", "-p", name)["frozen"] is None
    cli("deploy", site, "-p", name)


def test_a_rollback_is_said_and_undone(server: Appliance, cli: Cli, name: str) -> None:
    live(server, name)
    cli("rollback", "-p", name)
    assert server.visit(name).text == "one"
    shown = cli("environments", "show", "production", "-p", name).stdout
    assert "from #2 to #1" in shown and "homeport rollback --undo" in shown
    assert "#3, rolled back" in cli("environments", "list", "-p", name).stdout
    cli("rollback", "-p", name, "--undo")
    assert server.visit(name).text == "two"
    assert "Rolled back" not in cli("environments", "show", "production", "-p", name).stdout
    assert "not rolled back" in cli("rollback", "-p", name, "--undo", code=1).stderr
    cli("rollback", "-p", name, "--undo", "--to", "x", code=2)
