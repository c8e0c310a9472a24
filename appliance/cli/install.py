"""`homeport install`: the appliance as a service of this host."""

import click

from appliance.cli.host import data_option, host, settings
from appliance.cli.options import option


@click.command()
@option("--dry-run", is_flag=True, help="Print every file and command; change nothing.")
@option("--uninstall", is_flag=True, help="Remove exactly what install wrote.")
@data_option
def install(dry_run: bool, uninstall: bool, data: str | None) -> None:
    """Run the appliance as a service of this host.

    Writes the systemd units, the NGINX snippet and a user of its own. Root only, but for --dry-run.
    """
    for line in host().install(settings(data=data), dry_run=dry_run, uninstall=uninstall):
        click.echo(line)
