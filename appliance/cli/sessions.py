"""`homeport sessions`: where you are signed in; and `homeport confirm`."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.host import ask_password
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import option, remote, yes_option
from appliance.cli.show import ago, as_json, note
from appliance.client import DeviceData
from appliance.errors import BadRequest


@click.group()
def sessions() -> None:
    """List and end your sessions."""


@sessions.command("list")
@remote
def list_(json_wanted: bool, server: str | None) -> None:
    """List where you are signed in."""
    with connect(server) as client:
        page = client.sessions()
    head = ("Id", "Device", "Last seen", "From", "Signed in", "")
    listed(page, head, _row, json_wanted=json_wanted, empty="You are signed in nowhere; keys are no sessions.")


@sessions.command()
@click.argument("session", metavar="ID", required=False)
@option("--others", is_flag=True, help="End every session but this one.")
@yes_option
@remote
def delete(session: str | None, others: bool, yes: bool, json_wanted: bool, server: str | None) -> None:
    """End a session: whoever uses it has to sign in again."""
    if others == (session is not None):
        raise BadRequest("Name one session, or use --others.", todo=("`homeport sessions list` shows them.",))
    with connect(server) as client:
        ask_first("End every session but this one?" if others else f"End the session {session}?", yes=yes)
        if session is None:
            client.end_other_sessions()
        else:
            client.end_session(session)
    if json_wanted:
        as_json({"deleted": session or "others"})
    else:
        note("Ended.")


@click.command()
@option("--code", metavar="CODE", help="A code from your authenticator app, instead of the password.")
@remote
def confirm(code: str | None, json_wanted: bool, server: str | None) -> None:
    """Confirm that it's you, for ten minutes. The password is asked for, or read from standard input."""
    with connect(server) as client:
        if code:
            client.confirm_by_code(code)
        else:
            client.confirm(ask_password(twice=False))
    if json_wanted:
        as_json({"confirmed": True})
    else:
        note("Confirmed.")


def _row(one: DeviceData) -> tuple[str, ...]:
    here = "this one" if one["current"] else ""
    return (one["id"], one["device"], ago(one["seen_at"]), one["seen_from"] or "", ago(one["created_at"]), here)
