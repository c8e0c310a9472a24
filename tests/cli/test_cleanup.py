"""What the command line says of a clean-up."""

from tests.appliance import Appliance
from tests.cli.drive import Cli


def test_what_would_be_freed_and_what_was(fresh: Appliance, alone: Cli) -> None:
    cli = Cli({**alone.environ, "HOMEPORT_SERVER": fresh.url, "HOMEPORT_KEY": fresh.key})
    assert "Would free 0 bytes" in cli("cleanup", "--dry-run").stderr
    fresh.project("blog")
    for number in range(4):
        fresh.deploy("blog", {"index.html": f"{number}"})
    fresh.ask("PATCH", "/settings", json={"releases_kept": "1"})
    would = cli("cleanup", "--dry-run")
    assert "blog production #1" in would.stdout and "2 permanent addresses end. 2 releases kept." in would.stderr
    assert cli.json("cleanup", "--dry-run")["addresses"] == 2
    assert "Freed" in cli("cleanup").stderr
    assert cli.json("cleanup")["releases"] == []
