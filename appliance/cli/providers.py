"""`homeport providers` and `homeport identities`: signing in through others."""

import sys

import click

from appliance.cli.ask import ask_first
from appliance.cli.edge import FAILED
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import option, remote, yes_option
from appliance.cli.show import ago, as_json, facts, note
from appliance.cli.text import clean
from appliance.client import Client, IdentityData, ProviderData
from appliance.errors import NotFound
from appliance.model.providers import KINDS

HEAD = ("Id", "Name", "Kind", "Issuer", "Client", "Added")


@click.group()
def providers() -> None:
    """List, create, show, update, delete and test providers that people sign in through."""


@providers.command("list")
@remote
def list_(json_wanted: bool, server: str | None) -> None:
    """List providers."""
    with connect(server) as client:
        page = client.providers()
    empty = "No providers yet. Add one with `homeport providers create`."
    listed(page, HEAD, _row, json_wanted=json_wanted, empty=empty)


@providers.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@option("--client-id", required=True, metavar="ID", help="What the provider calls this appliance.")
@option("--id", "short", default=None, metavar="NAME", help="A short name, for the address people are sent back to.")
@option("--name", default=None, help="What the button says; the provider's own name when left out.")
@option("--issuer", default=None, metavar="URL", help="The issuer's address; for GitHub, a server of your own.")
@option("--second-factor", is_flag=True, help="Its second factor counts, so that ours is not asked for.")
@remote
def create(
    *,
    kind: str,
    client_id: str,
    short: str | None,
    name: str | None,
    issuer: str | None,
    second_factor: bool,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Add a provider. The client's secret is asked for, or read from standard input."""
    with connect(server) as client:
        more = {"id": short, "name": name, "issuer": issuer, "second_factor": second_factor or None}
        made = client.create_provider(kind, client_id, _secret(), **more)
    if json_wanted:
        as_json(made)
        return
    click.echo(made["id"])
    note(f"Enter this address at {made['name']}, as the one that people are sent back to: {made['callback']}")


@providers.command()
@click.argument("provider", metavar="ID")
@remote
def show(provider: str, json_wanted: bool, server: str | None) -> None:
    """Show a provider, and the address to enter there."""
    with connect(server) as client:
        found = client.provider(provider)
    if json_wanted:
        as_json(found)
        return
    counts = "counts" if found["second_factor"] else "does not count"
    pairs = list(zip(HEAD, _row(found), strict=True))
    facts([*pairs, ("Sent back to", found["callback"]), ("Second factor", counts)])


@providers.command()
@click.argument("provider", metavar="ID")
@option("--name", default=None, help="What the button says.")
@option("--client-id", default=None, metavar="ID", help="What the provider calls this appliance.")
@option("--new-secret", is_flag=True, help="Ask for another secret, or read it from standard input.")
@option("--second-factor/--no-second-factor", default=None, help="Whether its second factor counts.")
@remote
def update(
    *,
    provider: str,
    name: str | None,
    client_id: str | None,
    new_secret: bool,
    second_factor: bool | None,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Change a provider."""
    with connect(server) as client:
        secret = _secret() if new_secret else None
        now = client.update_provider(
            provider, name=name, client_id=client_id, client_secret=secret, second_factor=second_factor
        )
    as_json(now) if json_wanted else note(f"Changed {now['name']}.")


@providers.command()
@click.argument("provider", metavar="ID")
@yes_option
@remote
def delete(provider: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Remove a provider, and every connection with an account there."""
    with connect(server) as client:
        found = client.provider(provider)
        ask_first(f"Remove {found['name']}? Nobody can sign in through it any more.", yes=yes)
        client.delete_provider(found["id"])
    as_json({"deleted": found["id"]}) if json_wanted else note(f"Removed {found['name']}.")


@providers.command()
@click.argument("provider", metavar="ID")
@remote
@click.pass_context
def test(ctx: click.Context, provider: str, json_wanted: bool, server: str | None) -> None:
    """Ask a provider now whether it can be used. Exits with 1 when it can't."""
    with connect(server) as client:
        found = client.test_provider(provider)
    if json_wanted:
        as_json(found)
    else:
        for check in found["items"]:
            click.echo(clean(" ".join((check["text"], check["mend"])).strip()))
    if any(check["status"] == "failed" for check in found["items"]):
        ctx.exit(FAILED)


@click.group()
def identities() -> None:
    """List and delete accounts elsewhere that you come in with; they are connected in the browser."""


@identities.command("list")
@remote
def list_mine(json_wanted: bool, server: str | None) -> None:
    """List your accounts."""
    with connect(server) as client:
        page = client.identities()
    head = ("Id", "Provider", "Address", "Connected", "Last used")
    empty = "No accounts are connected. Connect one in the browser, under Your account."
    listed(page, head, _mine, json_wanted=json_wanted, empty=empty)


@identities.command("delete")
@click.argument("identity", metavar="ID")
@yes_option
@remote
def delete_mine(identity: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Disconnect an account."""
    with connect(server) as client:
        found = _find(client, identity)
        ask_first(f"Disconnect {found['provider']}?", yes=yes)
        client.delete_identity(found["id"])
    as_json({"deleted": found["id"]}) if json_wanted else note(f"Disconnected {found['provider']}.")


def _secret() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("The client's secret", hide_input=True, default="", show_default=False, err=True)
        return typed
    return sys.stdin.readline().strip()


def _find(client: Client, identity_id: str) -> IdentityData:
    for one in client.identities()["items"]:
        if one["id"] == identity_id:
            return one
    raise NotFound(f"You have no account with the id {identity_id}.", todo=("List them: `homeport identities list`.",))


def _row(one: ProviderData) -> tuple[str, ...]:
    return one["id"], one["name"], one["kind"], one["issuer"], one["client_id"], ago(one["created_at"])


def _mine(one: IdentityData) -> tuple[str, ...]:
    return one["id"], one["provider"], one["email"], ago(one["created_at"]), ago(one["used_at"])
