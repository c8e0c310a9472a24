"""People, teams and grants on the command line."""

import secrets

from tests.appliance import Appliance
from tests.cli.drive import Cli


def test_people_from_the_invitation_to_the_end(server: Appliance, cli: Cli, name: str) -> None:
    server.project(name)
    email, team = f"c{secrets.token_hex(5)}@cli.example.com", f"t{secrets.token_hex(4)}"
    link = cli("people", "invite", email, "--role", "none", "--grant", f"{name}/production:viewer").stdout.strip()
    assert email in cli("people", "invitations").stdout
    assert cli("people", "invite-again", email).stdout.strip() != link
    assert "Revoked" in cli("people", "uninvite", email, "--yes").stderr
    made = cli.json("people", "invite", email, "--role", "none", "--grant", f"{name}:viewer")
    body = {"token": made["link"].partition("token=")[2], "password": "a password of their own"}
    assert server.http.post(f"{server.url}/api/v1/invitations/accept", json=body).status_code == 201
    assert f"viewer in {name}" in cli("people", "show", email).stdout
    assert cli.json("people", "role", email, "developer")["role"] == "developer"
    assert cli.json("people", "role", email, "owner")["role"] == "owner"
    assert email in cli("people", "list", "--q", email).stdout
    cli("teams", "create", team)
    assert email in cli("teams", "add", team, email).stdout
    assert team in cli("teams", "list").stdout
    grant = cli.json("grants", "create", team, "admin", "--project", name)
    assert (grant["team"], grant["role"]) == (team, "admin")
    assert team in cli("grants", "list", "--project", name).stdout
    assert cli.json("grants", "show", grant["id"], "--project", name) == grant
    assert team in cli("grants", "delete", grant["id"], "--project", name, "--yes").stderr
    assert cli.json("teams", "remove", team, email)["members"] == []
    assert cli.json("teams", "rename", team, f"{team}-2")["name"] == f"{team}-2"
    assert cli.json("teams", "delete", f"{team}-2", "--yes") == {"deleted": f"{team}-2"}
    assert cli("people", "delete", email, "--yes").stderr == f"Removed {email}.\n"
    assert cli("people", "show", email, code=1).stderr.startswith("Error: There is nobody here")
