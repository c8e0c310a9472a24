"""`homeport keys`: API keys of one's own."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, option, remote, yes_option
from appliance.cli.show import ago, as_json, facts, note
from appliance.client import Client, KeyData
from appliance.errors import NotFound


@click.group()
def keys() -> None:
    """List, create, show and delete API keys."""


@keys.command("list")
@limit_option
@remote
def list_(limit: int, json_wanted: bool, server: str | None) -> None:
    """List your keys; the keys themselves are never shown again."""
    with connect(server) as client:
        page = client.keys(limit)
    head = ("Id", "Name", "Begins", "Created", "Expires", "Last used")
    listed(page, head, _row, json_wanted=json_wanted, empty="No keys yet. Make one with `homeport keys create`.")


@keys.command()
@click.argument("name")
@option(
    "--expires-at", metavar="TIME", help="When it stops working, such as 2027-01-31T00:00:00Z; never when left out."
)
@remote
def create(name: str, expires_at: str | None, json_wanted: bool, server: str | None) -> None:
    """Make a key and print it, this once."""
    with connect(server) as client:
        made = client.create_key(name, expires_at)
    if json_wanted:
        as_json(made)
        return
    note(f"Keep this key of {made['name']} now: it is not shown again.")
    click.echo(made.get("key", ""))


@keys.command()
@click.argument("key", metavar="ID")
@remote
def show(key: str, json_wanted: bool, server: str | None) -> None:
    """Show a key: its name, and when it was last used."""
    with connect(server) as client:
        found = _find(client, key)
    if json_wanted:
        as_json(found)
    else:
        facts(list(zip(("Id", "Name", "Begins", "Created", "Expires", "Last used"), _row(found), strict=True)))


@keys.command()
@click.argument("key", metavar="ID")
@yes_option
@remote
def delete(key: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Revoke a key: what uses it stops working at once."""
    with connect(server) as client:
        found = _find(client, key)
        ask_first(f"Revoke the key {found['name']}?", yes=yes)
        client.delete_key(found["id"])
    if json_wanted:
        as_json({"deleted": found["id"]})
    else:
        note(f"Revoked the key {found['name']}.")


def _find(client: Client, key_id: str) -> KeyData:
    for key in client.keys()["items"]:
        if key["id"] == key_id:
            return key
    raise NotFound(f"You have no key with the id {key_id}.", todo=("List them with `homeport keys list`.",))


def _row(key: KeyData) -> tuple[str, ...]:
    expires = key["expires_at"]
    return (
        key["id"],
        key["name"],
        key["prefix"],
        ago(key["created_at"]),
        expires[:16].replace("T", " ") if expires else "never",
        ago(key["last_used_at"]),
    )
