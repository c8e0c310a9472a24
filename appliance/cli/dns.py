"""`homeport dns`: the records that Homeport made, those that aren't as they should be, and the two ways out."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.edge import FAILED
from appliance.cli.logins import connect
from appliance.cli.options import remote, yes_option
from appliance.cli.show import as_json, note, table


@click.group()
def dns() -> None:
    """See the DNS records that Homeport made, and mend or remove them."""


@dns.command()
@remote
@click.pass_context
def records(ctx: click.Context, json_wanted: bool, server: str | None) -> None:
    """List them as they are now. Exits with 1 when one is not as it should be, or nothing uses it any more."""
    with connect(server) as client:
        found = client.dns_records()
    if json_wanted:
        as_json(found)
    elif found["items"]:
        rows = [(one["host"], one["type"], one["content"], one["state"], one["detail"]) for one in found["items"]]
        table(("Host", "Type", "Content", "State", "Detail"), rows)
    else:
        note("Homeport has no records of its own.")
    if any(one["state"] != "ok" for one in found["items"]):
        ctx.exit(FAILED)


@dns.command()
@click.argument("host")
@remote
def mend(host: str, json_wanted: bool, server: str | None) -> None:
    """Have a record made again as it should be."""
    with connect(server) as client:
        client.mend_dns_record(host)
    if json_wanted:
        as_json({"host": host})
    else:
        note(f"The record of {host} is being made again.")


@dns.command()
@click.argument("host")
@yes_option
@remote
def remove(host: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Remove a record of Homeport's own that nothing uses any more."""
    with connect(server) as client:
        ask_first(f"Remove the DNS record of {host}?", yes=yes)
        client.remove_dns_record(host)
    if json_wanted:
        as_json({"removed": host})
    else:
        note(f"The record of {host} is being removed.")
