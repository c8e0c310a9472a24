"""A second person, from the terminal."""

from tests.access.cast import PASSWORD, add_person
from tests.appliance import Appliance, zipped
from tests.cli.drive import Cli
from tests.servers import eventually


def test_asked_for_approved_and_rejected(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    made = cli.json("environments", "approval", "production", "-p", name, "--on", "--hours", "3")
    assert made["approval"] == {"hours": 3, "rollbacks": False}
    assert "within 3 hours" in cli("environments", "show", "production", "-p", name).stdout
    add_person(server, f"{name}@approves.example.com", "admin")
    login = {"email": f"{name}@approves.example.com", "password": PASSWORD}
    token = server.http.post(f"{server.url}/api/v1/login", json=login).json()["token"]
    other = Cli({"HOMEPORT_SERVER": server.url, "HOMEPORT_KEY": token})
    first = server.send(name, zipped({"index.html": "one"}), wait=None).json()["id"]
    shown = cli("deployments", "show", first).stdout
    assert "somebody else has to approve it" in shown and f"/approvals/{first}." in shown
    own = cli("deployments", "approve", first, code=3)
    assert "your own" in own.stderr
    assert "is approved" in other("deployments", "approve", first, "-m", "Read it").stderr
    eventually(lambda: server.visit(name).text == "one")
    second = server.send(name, zipped({"index.html": "two"}), wait=None).json()["id"]
    assert "is rejected" in other("deployments", "reject", second, "-m", "Not on a Friday").stderr
    assert "Not on a Friday" in cli("deployments", "show", second).stdout
    assert cli.json("environments", "approval", "production", "-p", name, "--off")["approval"] is None
