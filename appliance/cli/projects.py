"""`homeport projects`: what people visit."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, option, remote, yes_option
from appliance.cli.show import ago, as_json, counted, facts, note
from appliance.client import ProjectData


@click.group()
def projects() -> None:
    """List, create, rename and delete projects."""


@projects.command("list")
@option("--q", metavar="TEXT", help="Only those with this in their name.")
@limit_option
@remote
def list_(q: str | None, limit: int, json_wanted: bool, server: str | None) -> None:
    """List projects."""
    with connect(server) as client:
        page = client.projects(q, limit)
    empty = f"No project has {q!r} in its name." if q else "No projects yet. Make one with `homeport projects create`."
    listed(page, ("Project", "Environments", "Address", "Created"), _row, json_wanted=json_wanted, empty=empty)


@projects.command()
@click.argument("name")
@remote
def create(name: str, json_wanted: bool, server: str | None) -> None:
    """Create a project with its environment production."""
    with connect(server) as client:
        _print(client.create_project(name), json_wanted)


@projects.command()
@click.argument("name")
@remote
def show(name: str, json_wanted: bool, server: str | None) -> None:
    """Show a project."""
    with connect(server) as client:
        _print(client.project(name), json_wanted)


@projects.command()
@click.argument("name")
@click.argument("new")
@remote
def rename(name: str, new: str, json_wanted: bool, server: str | None) -> None:
    """Give a project another name; its addresses change with it."""
    with connect(server) as client:
        _print(client.rename_project(name, new), json_wanted)


@projects.command()
@click.argument("name")
@yes_option
@remote
def delete(name: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Delete a project with all its environments, URLs and deployments."""
    with connect(server) as client:
        frees = client.frees(name)
        if frees["stops_answering"] and not yes:
            note(f"These stop answering: {', '.join(frees['stops_answering'])}.")
        ask_first(f"Delete project {name} with its {counted(frees['deployments'], 'deployment')}?", yes=yes)
        client.delete_project(name)
    if json_wanted:
        as_json({"deleted": name})
    else:
        note(f"Deleted project {name}.")


def _print(project: ProjectData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(project)
    else:
        facts(
            [
                ("Project", project["name"]),
                ("Environments", ", ".join(project["environments"])),
                ("Address", project["address"]),
                ("Created", f"{ago(project['created_at'])} by {project['created_by']}"),
            ]
        )


def _row(project: ProjectData) -> tuple[str, ...]:
    return project["name"], ", ".join(project["environments"]), project["address"], ago(project["created_at"])
