"""`homeport rollback`: an older release goes live again."""

import click

from appliance.cli.logins import connect
from appliance.cli.options import environment_option, no_wait_option, option, project_option, remote
from appliance.cli.watch import carry_out
from appliance.client import Client
from appliance.errors import Conflict


@click.command()
@project_option
@environment_option
@option("--to", metavar="DEPLOYMENT", help="The deployment to go back to; the one that was live before when left out.")
@option("--undo", is_flag=True, help="Make live again what was live before it was rolled back.")
@no_wait_option
@remote
def rollback(
    *, project: str, environment: str, to: str | None, undo: bool, no_wait: bool, json_wanted: bool, server: str | None
) -> None:
    """Put what was live before live again.

    Nothing is uploaded: a rollback is a deployment of an older release.
    """
    if undo and to:
        raise click.UsageError("Give either --to or --undo.")
    with connect(server) as client:
        to = _before(client, project, environment) if undo else to
        deployment = client.rollback(project, environment, to)
        carry_out(client, deployment, no_wait=no_wait, json_wanted=json_wanted)


def _before(client: Client, project: str, environment: str) -> str:
    """What was live until it was rolled back."""
    found = client.environment(project, environment)["rolled_back"]
    if found is None:
        raise Conflict(f"{project} {environment} is not rolled back, so there is nothing to undo.")
    return found["from"]["id"]
