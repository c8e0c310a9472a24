"""`homeport open`: where a site answers."""

import sys
import webbrowser

import click

from appliance.cli.logins import connect
from appliance.cli.options import environment_option, project_option, remote
from appliance.cli.show import as_json, note
from appliance.cli.text import clean


@click.command("open")
@project_option
@environment_option
@remote
def open_site(project: str, environment: str, json_wanted: bool, server: str | None) -> None:
    """Print a site's address; on a terminal, open it in the browser."""
    with connect(server) as client:
        found = client.environment(project, environment)
    if json_wanted:
        as_json(found)
        return
    click.echo(clean(found["address"]))
    if found["live"] is None:
        note("Nothing is live there yet.")
    elif sys.stdout.isatty() and found["address"].startswith(("http://", "https://")):
        webbrowser.open(found["address"])
