"""`homeport teams`: people to whom something can be granted at once."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, remote, yes_option
from appliance.cli.people import granted
from appliance.cli.show import ago, as_json, facts, note
from appliance.client import TeamData


@click.group()
def teams() -> None:
    """List, create, change and delete teams."""


@teams.command("list")
@limit_option
@remote
def list_(limit: int, json_wanted: bool, server: str | None) -> None:
    """List teams."""
    with connect(server) as client:
        page = client.teams(limit)
    empty = "No teams yet. Make one with `homeport teams create`."
    listed(page, ("Team", "Members", "Granted", "Created"), _row, json_wanted=json_wanted, empty=empty)


@teams.command()
@click.argument("name")
@remote
def create(name: str, json_wanted: bool, server: str | None) -> None:
    """Create a team."""
    with connect(server) as client:
        _print(client.create_team(name), json_wanted)


@teams.command()
@click.argument("name")
@remote
def show(name: str, json_wanted: bool, server: str | None) -> None:
    """Show a team: who is in it, and what was granted to it."""
    with connect(server) as client:
        _print(client.team(name), json_wanted)


@teams.command()
@click.argument("name")
@click.argument("new")
@remote
def rename(name: str, new: str, json_wanted: bool, server: str | None) -> None:
    """Give a team another name."""
    with connect(server) as client:
        _print(client.rename_team(name, new), json_wanted)


@teams.command()
@click.argument("name")
@click.argument("email")
@remote
def add(name: str, email: str, json_wanted: bool, server: str | None) -> None:
    """Add a person to a team."""
    with connect(server) as client:
        _print(client.add_member(name, email), json_wanted)


@teams.command()
@click.argument("name")
@click.argument("email")
@remote
def remove(name: str, email: str, json_wanted: bool, server: str | None) -> None:
    """Take a person out of a team."""
    with connect(server) as client:
        client.remove_member(name, email)
        _print(client.team(name), json_wanted)


@teams.command()
@click.argument("name")
@yes_option
@remote
def delete(name: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Delete a team; what was granted to it ends."""
    with connect(server) as client:
        ask_first(f"Delete the team {name}?", yes=yes)
        client.delete_team(name)
    if json_wanted:
        as_json({"deleted": name})
    else:
        note(f"Deleted the team {name}.")


def _print(team: TeamData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(team)
        return
    facts(
        [
            ("Team", team["name"]),
            ("Members", ", ".join(one["email"] for one in team["members"])),
            ("Granted", _granted(team)),
            ("Created", f"{ago(team['created_at'])} by {team['created_by']}"),
        ]
    )


def _row(team: TeamData) -> tuple[str, ...]:
    return team["name"], str(len(team["members"])), _granted(team), ago(team["created_at"])


def _granted(team: TeamData) -> str:
    return ", ".join(granted(one) for one in team["grants"])
