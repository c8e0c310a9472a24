"""`homeport deployments`: each attempt to make a bundle live."""

import click

from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import (
    environment_option,
    limit_option,
    no_wait_option,
    option,
    project_option,
    remote,
)
from appliance.cli.show import ago, as_json, note, took
from appliance.cli.watch import carry_out, details, name_of
from appliance.client import DeploymentData
from appliance.model.deployments import STATUSES


@click.group()
def deployments() -> None:
    """List, show, cancel, approve and reject deployments, or deploy a bundle again."""


@deployments.command("list")
@option("--project", "-p", metavar="NAME", help="Only this project's.")
@option("--environment", "-e", metavar="NAME", help="Only this environment's.")
@option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@limit_option
@remote
def list_(
    *,
    project: str | None,
    environment: str | None,
    status: str | None,
    limit: int,
    json_wanted: bool,
    server: str | None,
) -> None:
    """List deployments, newest first."""
    with connect(server) as client:
        page = client.deployments(project, environment, status, limit)
    head = ("Id", "No.", "Project", "Environment", "Status", "Source", "Started", "Took", "By")
    listed(page, head, _row, json_wanted=json_wanted, empty="No deployments yet. Make one with `homeport deploy`.")


@deployments.command()
@click.argument("bundle", metavar="SHA256")
@project_option
@environment_option
@no_wait_option
@remote
def create(
    *, bundle: str, project: str, environment: str, no_wait: bool, json_wanted: bool, server: str | None
) -> None:
    """Deploy a bundle that the server has already."""
    with connect(server) as client:
        deployment = client.deploy_bundle(project, environment, bundle)
        carry_out(client, deployment, no_wait=no_wait, json_wanted=json_wanted)


@deployments.command()
@click.argument("deployment")
@remote
def show(deployment: str, json_wanted: bool, server: str | None) -> None:
    """Show a deployment and its steps."""
    with connect(server) as client:
        found = client.deployment(deployment)
    if json_wanted:
        as_json(found)
        return
    details(found)
    for step in found["steps"]:
        spent = took(step["started_at"], step["finished_at"])
        click.echo("  ".join(filter(None, ["", step["name"].ljust(9), step["status"].ljust(9), spent, step["detail"]])))


@deployments.command()
@click.argument("deployment")
@remote
def cancel(deployment: str, json_wanted: bool, server: str | None) -> None:
    """Stop a deployment that is not live yet."""
    with connect(server) as client:
        found = client.cancel(deployment)
    if json_wanted:
        as_json(found)
    elif found["status"] == "cancelled":
        note(f"{name_of(found)} is cancelled.")
    else:
        note(f"{name_of(found)} is being stopped.")


@deployments.command()
@click.argument("deployment")
@option("--reason", "-m", metavar="TEXT", help="Why, if there is something to say.")
@remote
def approve(deployment: str, reason: str | None, json_wanted: bool, server: str | None) -> None:
    """Let a deployment of somebody else go live, where its environment asks for a second person."""
    with connect(server) as client:
        found = client.approve(deployment, reason)
    if json_wanted:
        as_json(found)
    else:
        note(f"{name_of(found)} is approved.")


@deployments.command()
@click.argument("deployment")
@option("--reason", "-m", required=True, metavar="TEXT", help="Why, for whoever asked.")
@remote
def reject(deployment: str, reason: str, json_wanted: bool, server: str | None) -> None:
    """End a deployment of somebody else that waits to be approved."""
    with connect(server) as client:
        found = client.reject(deployment, reason)
    if json_wanted:
        as_json(found)
    else:
        note(f"{name_of(found)} is rejected.")


def _row(one: DeploymentData) -> tuple[str, ...]:
    return (
        one["id"],
        f"#{one['number']}",
        one["project"],
        one["environment"],
        "live" if one["live"] else one["status"],
        one["source"],
        ago(one["created_at"]),
        took(one["started_at"], one["finished_at"]),
        one["created_by"],
    )
