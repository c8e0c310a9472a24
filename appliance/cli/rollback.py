"""`homeport rollback`: an older release goes live again."""

import click

from appliance.cli.logins import connect
from appliance.cli.options import environment_option, no_wait_option, option, project_option, remote
from appliance.cli.watch import carry_out


@click.command()
@project_option
@environment_option
@option("--to", metavar="DEPLOYMENT", help="The deployment to go back to; the one that was live before when left out.")
@no_wait_option
@remote
def rollback(
    *, project: str, environment: str, to: str | None, no_wait: bool, json_wanted: bool, server: str | None
) -> None:
    """Put what was live before live again.

    Nothing is uploaded: a rollback is a deployment of an older release.
    """
    with connect(server) as client:
        deployment = client.rollback(project, environment, to)
        carry_out(client, deployment, no_wait=no_wait, json_wanted=json_wanted)
