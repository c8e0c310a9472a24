"""`homeport setup-link`: a new link for the first account."""

import click

from appliance.cli.host import data_option, host, settings
from appliance.cli.options import json_option
from appliance.cli.show import as_json


@click.command("setup-link")
@data_option
@json_option
def setup_link(data: str | None, json_wanted: bool) -> None:
    """Make a new link for the first account.

    It works once, for 30 minutes, and only while there is no account.
    """
    link = host().setup_link(settings(data=data))
    if json_wanted:
        as_json({"link": link})
    else:
        click.echo(link)
