"""`homeport rehearse`: what one Homeport asks of the file that is to follow it."""

import json
import os

import click

from appliance.cli.host import host
from appliance.settings import Settings


@click.command(hidden=True)
@click.argument("folder")
def rehearse(folder: str) -> None:
    """Bring a copy of the database to this file's form, and answer. Started by the appliance, not by hand."""
    click.echo(json.dumps(host().rehearse(Settings.load({"data": folder}, os.environ))))
