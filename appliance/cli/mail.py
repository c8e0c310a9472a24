"""`homeport mail`: whether e-mail goes out."""

import click

from appliance.cli.edge import FAILED
from appliance.cli.logins import connect
from appliance.cli.options import remote
from appliance.cli.show import as_json
from appliance.cli.text import clean


@click.group()
def mail() -> None:
    """Try the settings for e-mail."""


@mail.command()
@click.argument("address", required=False, default="")
@remote
@click.pass_context
def test(ctx: click.Context, address: str, json_wanted: bool, server: str | None) -> None:
    """Send a test message to ADDRESS, or to your own. Exits with 1 when it can't be sent."""
    with connect(server) as client:
        found = client.test_mail(address)
    if json_wanted:
        as_json(found)
    else:
        for check in found["items"]:
            click.echo(clean(" ".join((check["text"], check["mend"])).strip()))
    if any(check["status"] == "failed" for check in found["items"]):
        ctx.exit(FAILED)
