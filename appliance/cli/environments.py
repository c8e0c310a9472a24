"""`homeport environments`: where a project's bundles go live."""

import click

from appliance.cli.answering import guard, site
from appliance.cli.ask import ask_first
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, option, project_option, remote, yes_option
from appliance.cli.show import ago, as_json, facts, note
from appliance.client import EnvironmentData, FreezeData, RolledBackData
from appliance.client.shapes import ApprovalRuleData
from appliance.model.environments import BACKENDS

AUTO = "auto"


@click.group()
def environments() -> None:
    """List, create, show, rename, freeze and delete the environments of a project."""


environments.add_command(site)
environments.add_command(guard)


@environments.command("list")
@project_option
@limit_option
@remote
def list_(project: str, limit: int, json_wanted: bool, server: str | None) -> None:
    """List a project's environments."""
    with connect(server) as client:
        page = client.environments(project, limit)
    head = ("Environment", "Backend", "Live", "Address")
    listed(page, head, _row, json_wanted=json_wanted, empty=f"{project} has no environments.")


@environments.command()
@click.argument("name")
@project_option
@option(
    "--backend", type=click.Choice((AUTO, *BACKENDS)), default=AUTO, help="Where it runs; auto: as the server has it."
)
@remote
def create(*, name: str, project: str, backend: str, json_wanted: bool, server: str | None) -> None:
    """Create an environment in a project."""
    with connect(server) as client:
        _print(client.create_environment(project, name, None if backend == AUTO else backend), json_wanted)


@environments.command()
@click.argument("name")
@project_option
@remote
def show(name: str, project: str, json_wanted: bool, server: str | None) -> None:
    """Show an environment: what is live, and where it answers."""
    with connect(server) as client:
        _print(client.environment(project, name), json_wanted)


@environments.command()
@click.argument("name")
@click.argument("new")
@project_option
@remote
def rename(*, name: str, new: str, project: str, json_wanted: bool, server: str | None) -> None:
    """Give an environment another name; its address changes with it."""
    with connect(server) as client:
        _print(client.change_environment(project, name, new=new), json_wanted)


@environments.command()
@click.argument("name")
@click.argument("backend", type=click.Choice(BACKENDS))
@project_option
@remote
def backend(*, name: str, backend: str, project: str, json_wanted: bool, server: str | None) -> None:
    """Give an environment another backend."""
    with connect(server) as client:
        _print(client.change_environment(project, name, backend=backend), json_wanted)


@environments.command()
@click.argument("name")
@option("--message", "-m", required=True, metavar="TEXT", help="Why, for whoever wants to deploy.")
@project_option
@remote
def freeze(*, name: str, message: str, project: str, json_wanted: bool, server: str | None) -> None:
    """Let nothing be deployed to an environment until it is thawed.

    What runs goes to its end; what is queued stays queued.
    """
    with connect(server) as client:
        _print(client.freeze(project, name, message), json_wanted)


@environments.command()
@click.argument("name")
@project_option
@remote
def thaw(name: str, project: str, json_wanted: bool, server: str | None) -> None:
    """Let deployments go on in an environment that was frozen."""
    with connect(server) as client:
        _print(client.thaw(project, name), json_wanted)


@environments.command()
@click.argument("name")
@project_option
@option("--on/--off", "asks", default=None, help="Whether deployments wait for a second person.")
@option("--hours", type=click.IntRange(1, 720), help="How long a request stays open; 24 when left out.")
@option("--rollbacks/--no-rollbacks", default=None, help="Whether rollbacks wait too.")
@remote
def approval(
    *,
    name: str,
    project: str,
    asks: bool | None,
    hours: int | None,
    rollbacks: bool | None,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Show or set whether a second person has to approve what is deployed to an environment."""
    if asks is False and (hours or rollbacks):
        raise click.UsageError("With --off there is nothing else to set.")
    with connect(server) as client:
        if asks is False:
            found = client.ask_no_approval(project, name)
        elif asks or hours or rollbacks is not None:
            now = client.environment(project, name)["approval"] or {"hours": 24, "rollbacks": False}
            wanted = now["rollbacks"] if rollbacks is None else rollbacks
            found = client.ask_approval(project, name, hours=hours or now["hours"], rollbacks=wanted)
        else:
            found = client.environment(project, name)
    _print(found, json_wanted)


@environments.command()
@click.argument("name")
@project_option
@yes_option
@remote
def delete(name: str, project: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Delete an environment with its URLs and deployments."""
    with connect(server) as client:
        client.environment(project, name)
        ask_first(f"Delete {project} {name}, its URLs and its deployments?", yes=yes)
        client.delete_environment(project, name)
    if json_wanted:
        as_json({"deleted": name, "project": project})
    else:
        note(f"Deleted {project} {name}.")


def _print(environment: EnvironmentData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(environment)
        return
    facts(
        [
            ("Environment", environment["name"]),
            ("Backend", environment["backend"]),
            ("Live", _live(environment)),
            ("Rolled back", _rolled_back(environment["rolled_back"])),
            ("Frozen", _frozen(environment["frozen"])),
            ("Approval", _approval(environment.get("approval"))),
            ("Address", environment["address"]),
            ("URLs", ", ".join(f"{url['host']} ({url['status']})" for url in environment["urls"])),
        ]
    )


def _row(environment: EnvironmentData) -> tuple[str, ...]:
    live = [_live(environment)]
    live += ["rolled back"] if environment["rolled_back"] else []
    live += ["frozen"] if environment["frozen"] else []
    return environment["name"], environment["backend"], ", ".join(live), environment["address"]


def _live(environment: EnvironmentData) -> str:
    return f"#{environment['live']['number']}" if environment["live"] else "nothing yet"


def _rolled_back(found: RolledBackData | None) -> str:
    if found is None:
        return ""
    return (
        f"from #{found['from']['number']} to #{found['to']['number']}, {ago(found['at'])} by {found['by']}; "
        "undo it with `homeport rollback --undo`"
    )


def _approval(found: ApprovalRuleData | None) -> str:
    """An older server does not ask anybody."""
    if found is None:
        return ""
    return f"by a second person, within {found['hours']} hours{', rollbacks too' if found['rollbacks'] else ''}"


def _frozen(found: FreezeData | None) -> str:
    return f"{ago(found['at'])} by {found['by']}: {found['message']}" if found else ""
