"""`homeport promote`: what is live in one environment goes live in another."""

import click

from appliance.cli.logins import connect
from appliance.cli.options import environment_option, no_wait_option, option, project_option, remote
from appliance.cli.watch import carry_out


@click.command()
@project_option
@option("--from", "from_", required=True, metavar="NAME", help="The environment to take it from.")
@environment_option
@no_wait_option
@remote
def promote(
    *, project: str, from_: str, environment: str, no_wait: bool, json_wanted: bool, server: str | None
) -> None:
    """Put what is live in one environment live in another."""
    with connect(server) as client:
        deployment = client.promote(project, environment, from_)
        carry_out(client, deployment, no_wait=no_wait, json_wanted=json_wanted)
