"""`homeport notifications`: where they go, and what became of each."""

import sys

import click

from appliance.cli.ask import ask_first
from appliance.cli.edge import FAILED
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, option, remote, yes_option
from appliance.cli.show import ago, as_json, facts, note
from appliance.cli.text import clean
from appliance.client import ChannelData, Client, DeliveryData
from appliance.errors import NotFound
from appliance.model.channels import KINDS, STATUSES
from appliance.model.notices import EVENTS

HEAD = ("Id", "Kind", "Name", "To", "Events", "Projects")
events_option = option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice(list(EVENTS)),
    metavar="EVENT",
    help="An event; may be given several times.",
)
projects_option = option(
    "--project",
    "-p",
    "projects",
    multiple=True,
    metavar="NAME",
    help="Of this project alone; may be given several times.",
)


@click.group()
def notifications() -> None:
    """List, create, show, update, delete and test channels; see what was sent, and send it again."""


@notifications.command("list")
@remote
def list_(json_wanted: bool, server: str | None) -> None:
    """List channels."""
    with connect(server) as client:
        page = client.channels()
    empty = "No channels yet. Add one with `homeport notifications create`."
    listed(page, HEAD, _row, json_wanted=json_wanted, empty=empty)


@notifications.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("name")
@option(
    "--to",
    default=None,
    metavar="ADDRESS",
    help="Where it goes; asked for, or read from standard input, when left out.",
)
@option("--token", default=None, help="For ntfy, where it asks who sends.")
@events_option
@projects_option
@remote
def create(
    *,
    kind: str,
    name: str,
    to: str | None,
    token: str | None,
    events: tuple[str, ...],
    projects: tuple[str, ...],
    json_wanted: bool,
    server: str | None,
) -> None:
    """Add a channel. The address of a service is a secret: better not in the command itself."""
    with connect(server) as client:
        more = {"token": token, "events": list(events) or None, "projects": list(projects) or None}
        made = client.create_channel(kind, name, to or _address(), **more)
    if json_wanted:
        as_json(made)
        return
    click.echo(made["id"])
    if made["key"]:
        note(f"It signs with this key, which is not shown again: {made['key']}")


@notifications.command()
@click.argument("channel", metavar="CHANNEL")
@remote
def show(channel: str, json_wanted: bool, server: str | None) -> None:
    """Show a channel, by its id or name."""
    with connect(server) as client:
        found = _find(client, channel)
    as_json(found) if json_wanted else facts(list(zip(HEAD, _row(found), strict=True)))


@notifications.command()
@click.argument("channel", metavar="CHANNEL")
@option("--name", default=None, help="Another name.")
@option("--new-address", is_flag=True, help="Ask for another address, or read it from standard input.")
@option("--token", default=None, help="Another token, for ntfy.")
@events_option
@projects_option
@remote
def update(
    *,
    channel: str,
    name: str | None,
    new_address: bool,
    token: str | None,
    events: tuple[str, ...],
    projects: tuple[str, ...],
    json_wanted: bool,
    server: str | None,
) -> None:
    """Change a channel. Events and projects that are given take the place of those before; `-p ""` is for all."""
    with connect(server) as client:
        found, to = _find(client, channel), _address() if new_address else None
        those = [one for one in projects if one] if projects else None
        now = client.update_channel(
            found["id"], name=name, to=to, token=token, events=list(events) or None, projects=those
        )
    as_json(now) if json_wanted else note(f"Changed {now['name']}.")


@notifications.command()
@click.argument("channel", metavar="CHANNEL")
@yes_option
@remote
def key(channel: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Make another key to sign a webhook with, and print it."""
    with connect(server) as client:
        found = _find(client, channel)
        ask_first(f"Exchange the key of {found['name']}? The one before counts no more.", yes=yes)
        made = client.exchange_channel_key(found["id"])
    as_json(made) if json_wanted else click.echo(made["key"])


@notifications.command()
@click.argument("channel", metavar="CHANNEL")
@yes_option
@remote
def delete(channel: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Remove a channel, and its history."""
    with connect(server) as client:
        found = _find(client, channel)
        ask_first(f"Remove {found['name']}? What waits for it is not sent any more.", yes=yes)
        client.delete_channel(found["id"])
    as_json({"deleted": found["id"]}) if json_wanted else note(f"Removed {found['name']}.")


@notifications.command()
@click.argument("channel", metavar="CHANNEL")
@remote
@click.pass_context
def test(ctx: click.Context, channel: str, json_wanted: bool, server: str | None) -> None:
    """Send a test now. Exits with 1 when it does not arrive."""
    with connect(server) as client:
        done = client.test_channel(_find(client, channel)["id"])
    as_json(done) if json_wanted else click.echo(clean(_went(done)))
    if done["status"] != "succeeded":
        ctx.exit(FAILED)


@notifications.command()
@click.argument("channel", metavar="CHANNEL")
@option("--event", default="", type=click.Choice(["", *EVENTS]), metavar="EVENT", help="For which event.")
@remote
def preview(channel: str, event: str, json_wanted: bool, server: str | None) -> None:
    """Show what a channel would be sent, word for word but for its secrets."""
    with connect(server) as client:
        made = client.preview_channel(_find(client, channel)["id"], event)
    if json_wanted:
        as_json(made)
        return
    for header in made["headers"]:
        click.echo(clean(f"{header['name']}: {header['value']}"))
    click.echo()
    for one in made["body"].splitlines():
        click.echo(clean(one))


@notifications.command()
@click.argument("channel", metavar="CHANNEL", required=False, default="")
@option("--status", default=None, type=click.Choice(STATUSES), help="Only these; `failed` were given up.")
@limit_option
@remote
def deliveries(channel: str, status: str | None, limit: int, json_wanted: bool, server: str | None) -> None:
    """List what was sent to a channel, or to all, newest first."""
    with connect(server) as client:
        channel_id = _find(client, channel)["id"] if channel else ""
        page = client.deliveries(channel_id, limit=limit, status=status)
    head = ("Id", "Status", "Channel", "What", "When", "Answer")
    listed(page, head, _sent, json_wanted=json_wanted, empty="Nothing was sent in the last 30 days.")


@notifications.command()
@click.argument("delivery", metavar="DELIVERY")
@remote
def redeliver(delivery: str, json_wanted: bool, server: str | None) -> None:
    """Send something again, under the same id."""
    with connect(server) as client:
        done = client.redeliver(delivery)
    as_json(done) if json_wanted else note(f"“{done['title']}” is on its way to {done['channel_name']} again.")


def _address() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("Where it goes", hide_input=True, err=True)
        return typed
    return sys.stdin.readline().strip()


def _find(client: Client, name: str) -> ChannelData:
    for one in client.channels()["items"]:
        if name in (one["id"], one["name"]):
            return one
    raise NotFound(f"There is no channel {name}.", todo=("List them: `homeport notifications list`.",))


def _row(one: ChannelData) -> tuple[str, ...]:
    projects = "all" if one["all_projects"] else ", ".join(one["projects"])
    return one["id"], one["kind"], one["name"], one["to"], ", ".join(one["events"]), projects


def _sent(one: DeliveryData) -> tuple[str, ...]:
    return one["id"], one["status"], one["channel_name"], one["title"], ago(one["created_at"]), _answer(one)


def _went(one: DeliveryData) -> str:
    arrived = "It arrived" if one["status"] == "succeeded" else "It did not arrive"
    said = _answer(one)
    return f"{arrived}: {said}" if said else f"{arrived}."


def _answer(one: DeliveryData) -> str:
    last = one["attempts"][0] if one["attempts"] else None
    return " ".join(str(part) for part in (last["status"], last["said"]) if part) if last else ""
