"""`homeport keys`: API keys of one's own."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import F, limit_option, option, remote, yes_option
from appliance.cli.show import ago, as_json, facts, note
from appliance.client import Client, KeyData
from appliance.errors import NotFound
from appliance.model.scopes import PRESETS, in_words

HEAD = ("Id", "Name", "May", "Begins", "Created", "Expires", "Last used")


def person_option(function: F) -> F:
    return option("--person", metavar="ADDRESS", help="Whose keys; yours when left out.")(function)


@click.group()
def keys() -> None:
    """List, create, show and delete API keys."""


@keys.command("list")
@person_option
@limit_option
@remote
def list_(limit: int, json_wanted: bool, server: str | None, person: str | None) -> None:
    """List your keys; the keys themselves are never shown again."""
    with connect(server) as client:
        page = client.keys(limit, person)
    listed(page, HEAD, _row, json_wanted=json_wanted, empty="No keys yet. Make one with `homeport keys create`.")


@keys.command()
@click.argument("name")
@option(
    "--expires-at", metavar="TIME", help="When it stops working, such as 2027-01-31T00:00:00Z; never when left out."
)
@option("--only", metavar="PLACE", multiple=True, help="Only in this project, or environment such as blog/staging.")
@option("--may", metavar="WHAT", multiple=True, help="Only this: `deploy`, `read`, or a permission; all when left out.")
@remote
def create(
    name: str,
    *,
    expires_at: str | None,
    only: tuple[str, ...],
    may: tuple[str, ...],
    json_wanted: bool,
    server: str | None,
) -> None:
    """Make a key and print it, this once.

    Without --only and --may it may do what you may. It never does more than you may at that moment.
    """
    permissions = sorted({one for word in may for one in PRESETS.get(word, (word,))})
    with connect(server) as client:
        made = client.create_key(
            name,
            expires_at,
            projects=[one for one in only if "/" not in one] or None,
            environments=[one for one in only if "/" in one] or None,
            permissions=permissions or None,
        )
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
        facts(list(zip(HEAD, _row(found), strict=True)))


@keys.command()
@click.argument("key", metavar="ID")
@person_option
@yes_option
@remote
def delete(key: str, yes: bool, json_wanted: bool, server: str | None, person: str | None) -> None:
    """Revoke a key: what uses it stops working at once."""
    with connect(server) as client:
        found = _find(client, key, person)
        ask_first(f"Revoke the key {found['name']}?", yes=yes)
        client.delete_key(found["id"], person)
    if json_wanted:
        as_json({"deleted": found["id"]})
    else:
        note(f"Revoked the key {found['name']}.")


def _find(client: Client, key_id: str, person: str | None = None) -> KeyData:
    for key in client.keys(person=person)["items"]:
        if key["id"] == key_id:
            return key
    raise NotFound(
        f"{'They' if person else 'You'} have no key with the id {key_id}.",
        todo=("List them with `homeport keys list`.",),
    )


def _row(key: KeyData) -> tuple[str, ...]:
    expires = key["expires_at"]
    return (
        key["id"],
        key["name"],
        in_words(_places(key), key["permissions"]),
        key["prefix"],
        ago(key["created_at"]),
        expires[:16].replace("T", " ") if expires else "never",
        ago(key["last_used_at"]),
    )


def _places(key: KeyData) -> list[str] | None:
    """Where it is kept to, if to any."""
    projects, environments = key["projects"], key["environments"]
    return None if projects is None or environments is None else [*projects, *environments]
