"""`homeport nginx`: edits by hand in the NGINX files of URLs, and what NGINX says of its whole configuration."""

import click

from appliance.cli.edge import FAILED
from appliance.cli.logins import connect
from appliance.cli.options import no_wait_option, remote
from appliance.cli.show import as_json, note
from appliance.cli.text import clean
from appliance.client import NginxData
from appliance.errors import HomeportError

PATIENCE = 60  # seconds to wait for a URL to be in force


@click.group()
def nginx() -> None:
    """See what was edited by hand, and restore it or keep it."""


@nginx.command()
@remote
@click.pass_context
def status(ctx: click.Context, json_wanted: bool, server: str | None) -> None:
    """Look for edits by hand now, and have NGINX test its whole configuration.

    Exits with 1 when NGINX refuses it, or when nobody has decided about an edit yet.
    """
    with connect(server) as client:
        found = client.look_at_nginx()
    if json_wanted:
        as_json(found)
    else:
        _print(found)
    undecided = any(edit["kept_at"] is None for edit in found["edits"])
    if undecided or (found["tested"] and not found["tested"]["ok"]):
        ctx.exit(FAILED)


@nginx.command()
@click.argument("host")
@no_wait_option
@remote
def restore(host: str, no_wait: bool, json_wanted: bool, server: str | None) -> None:
    """Write a URL's file and links anew, over the edit."""
    with connect(server) as client:
        url = client.restore_url(host, wait=None if no_wait else PATIENCE)
    if url["status"] == "failed":
        raise HomeportError(url["error"] or f"{host} is not in force.", code="url_failed")
    if json_wanted:
        as_json(url)
    else:
        note(f"{host} is {'being written anew' if url['status'] == 'pending' else 'as Homeport makes it again'}.")


@nginx.command()
@click.argument("host")
@remote
def adopt(host: str, json_wanted: bool, server: str | None) -> None:
    """Keep a URL's file as it was edited, until it is restored."""
    with connect(server) as client:
        edit = client.adopt_url(host)
    if json_wanted:
        as_json(edit)
    else:
        note(f"The file of {host} stays as it was edited, until it is restored.")


def _print(found: NginxData) -> None:
    if found["tested"]:
        click.echo(clean(found["tested"]["detail"]))
        if found["tested"]["said"]:
            click.echo(clean(found["tested"]["said"], lines=True))
    if domain := found["deployments"]:
        click.echo(f"Deployments under {domain['name']}: {clean(domain['error'] or domain['status'])}")
    for edit in found["edits"]:
        kept = f" Kept by {edit['kept_by']}." if edit["kept_at"] else ""
        click.echo(f"\n{click.style(edit['host'], bold=True)}: {clean(edit['detail'])}{clean(kept)}")
        if edit["diff"]:
            click.echo(clean(edit["diff"], lines=True))
        if not edit["kept_at"]:
            keep = f", or keep it with `homeport nginx adopt {edit['host']}`" if edit["what"] == "changed" else ""
            click.echo(f"Write it anew with `homeport nginx restore {edit['host']}`{keep}.")
    if not found["edits"]:
        note("Nothing of Homeport's was edited by hand.")
