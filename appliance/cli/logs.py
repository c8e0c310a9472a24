"""`homeport logs`: what a deployment wrote."""

import json

import click

from appliance.cli.logins import connect
from appliance.cli.options import option, remote
from appliance.cli.show import as_json, note
from appliance.cli.text import clean
from appliance.cli.watch import log_text
from appliance.client import Client


@click.command()
@click.argument("deployment")
@option("--follow", "-f", is_flag=True, help="Go on until the deployment is over.")
@remote
def logs(deployment: str, follow: bool, json_wanted: bool, server: str | None) -> None:
    """Print the log of a deployment.

    With --follow and --json, one object a line.
    """
    with connect(server) as client:
        if follow:
            _stream(client, deployment, json_wanted)
        elif json_wanted:
            as_json({"deployment": deployment, "log": client.log(deployment)})
        else:
            click.echo(clean(client.log(deployment), lines=True), nl=False)


def _stream(client: Client, deployment: str, json_wanted: bool) -> None:
    for line in client.follow_log(deployment, lost=lambda: note("The connection was lost; trying again...")):
        click.echo(json.dumps(line) if json_wanted else log_text(line))
