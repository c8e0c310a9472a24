"""`homeport serve`: run the appliance."""

import click

from appliance.cli.host import data_option, settings
from appliance.cli.host import host as server
from appliance.cli.options import option


@click.command()
@option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="The address to listen on.")
@option("--port", type=click.IntRange(0, 65535), default=8420, show_default=True, help="The port to listen on.")
@data_option
@option("--url", metavar="URL", help="Where people reach this appliance, such as https://deploy.example.net.")
def serve(host: str, port: int, data: str | None, url: str | None) -> None:
    """Run the appliance.

    The first start prints a link that makes the first account.
    """
    server().serve(settings(host=host, port=port, data=data, url=url))
