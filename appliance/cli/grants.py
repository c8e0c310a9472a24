"""`homeport grants`: who may do what in one project or environment."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import option, project_option, remote, yes_option
from appliance.cli.show import ago, as_json, facts, note
from appliance.client import Client, GrantData
from appliance.errors import NotFound
from appliance.model.grants import GRANTABLE

HEAD = ("Who", "Role", "Environment", "Granted", "Id")


@click.group()
def grants() -> None:
    """List, create, show and delete grants in a project."""


@grants.command("list")
@project_option
@remote
def list_(project: str, json_wanted: bool, server: str | None) -> None:
    """List who was granted what in a project."""
    with connect(server) as client:
        page = client.grants(project)
    empty = f"Nothing was granted in {project} alone. Make a grant with `homeport grants create`."
    listed(page, HEAD, _row, json_wanted=json_wanted, empty=empty)


@grants.command()
@click.argument("who", metavar="EMAIL|TEAM")
@click.argument("role", type=click.Choice(GRANTABLE))
@project_option
@option("--environment", "-e", metavar="NAME", help="In this environment alone; in the whole project when left out.")
@remote
def create(
    *, who: str, role: str, project: str, environment: str | None, json_wanted: bool, server: str | None
) -> None:
    """Grant a role to a person or a team, in place of the one that they had there."""
    person, team = (who, None) if "@" in who else (None, who)
    with connect(server) as client:
        _print(client.put_grant(project, role, person=person, team=team, environment=environment), json_wanted)


@grants.command()
@click.argument("grant", metavar="ID")
@project_option
@remote
def show(grant: str, project: str, json_wanted: bool, server: str | None) -> None:
    """Show a grant."""
    with connect(server) as client:
        _print(_find(client, project, grant), json_wanted)


@grants.command()
@click.argument("grant", metavar="ID")
@project_option
@yes_option
@remote
def delete(grant: str, project: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Withdraw a grant."""
    with connect(server) as client:
        found = _find(client, project, grant)
        ask_first(f"Withdraw {found['role']} in {project} from {_who(found)}?", yes=yes)
        client.delete_grant(project, grant)
    if json_wanted:
        as_json({"deleted": grant})
    else:
        note(f"{_who(found)} is {found['role']} in {project} no more.")


def _find(client: Client, project: str, grant: str) -> GrantData:
    for one in client.grants(project)["items"]:
        if one["id"] == grant:
            return one
    todo = f"List them with `homeport grants list --project {project}`."
    raise NotFound(f"There is no grant {grant} in {project}.", todo=(todo,))


def _print(grant: GrantData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(grant)
    else:
        facts(list(zip(HEAD, _row(grant), strict=True)))


def _row(grant: GrantData) -> tuple[str, ...]:
    return _who(grant), grant["role"], grant["environment"] or "(all)", ago(grant["created_at"]), grant["id"]


def _who(grant: GrantData) -> str:
    return grant["person"] or grant["team"] or ""
