"""`homeport people`: who is here, and who is invited."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, option, remote, yes_option
from appliance.cli.show import ago, as_json, facts, note
from appliance.client import Client, GrantData, InvitationData, PortraitData
from appliance.client.shapes import PromisedData
from appliance.errors import BadRequest, NotFound
from appliance.model.people import ROLES


@click.group()
def people() -> None:
    """List, invite, change and delete people."""


@people.command("list")
@option("--q", metavar="TEXT", help="Only those with this in their address.")
@limit_option
@remote
def list_(q: str | None, limit: int, json_wanted: bool, server: str | None) -> None:
    """List the people who have an account."""
    with connect(server) as client:
        page = client.people(q, limit)
    head = ("E-mail", "Role", "Teams", "Second factor", "Last seen")
    listed(page, head, _row, json_wanted=json_wanted, empty=f"Nobody has {q!r} in their address.")


@people.command()
@click.argument("who", metavar="EMAIL")
@remote
def show(who: str, json_wanted: bool, server: str | None) -> None:
    """Show a person, with what was granted to them."""
    with connect(server) as client:
        _print(client.person(who), json_wanted)


@people.command()
@click.argument("who", metavar="EMAIL")
@click.argument("role", type=click.Choice(ROLES))
@remote
def role(who: str, role: str, json_wanted: bool, server: str | None) -> None:
    """Give a person another role."""
    with connect(server) as client:
        _print(client.change_role(who, role), json_wanted)


@people.command()
@click.argument("who", metavar="EMAIL")
@yes_option
@remote
def delete(who: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Remove a person; their sessions and keys end at once."""
    with connect(server) as client:
        found = client.person(who)
        ask_first(f"Remove {found['email']}?", yes=yes)
        client.remove_person(found["id"])
    if json_wanted:
        as_json({"deleted": found["email"]})
    else:
        note(f"Removed {found['email']}.")


@people.command()
@yes_option
@remote
def leave(yes: bool, json_wanted: bool, server: str | None) -> None:
    """Remove yourself from the server."""
    with connect(server) as client:
        me = client.me()
        ask_first(f"Remove your own account {me['email']} at {client.server}?", yes=yes)
        client.leave()
    if json_wanted:
        as_json({"deleted": me["email"]})
    else:
        note(f"Your account {me['email']} is gone.")


@people.command()
@click.argument("email")
@option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What they may do everywhere.")
@option(
    "--grant",
    multiple=True,
    metavar="PLACE:ROLE",
    help="What they may do besides in one place, such as blog:developer or blog/staging:developer.",
)
@remote
def invite(email: str, role: str, grant: tuple[str, ...], json_wanted: bool, server: str | None) -> None:
    """Invite somebody, and print the link, this once."""
    with connect(server) as client:
        _print_link(client.invite(email, role, [_promised(one) for one in grant]), json_wanted)


@people.command()
@limit_option
@remote
def invitations(limit: int, json_wanted: bool, server: str | None) -> None:
    """List invitations that were not accepted yet."""
    with connect(server) as client:
        page = client.invitations(limit)
    head = ("E-mail", "Role", "By", "Made", "Until")
    listed(page, head, _invitation_row, json_wanted=json_wanted, empty="Nobody is invited.")


@people.command("invite-again")
@click.argument("email")
@remote
def invite_again(email: str, json_wanted: bool, server: str | None) -> None:
    """Make a new link for an invitation; the one before stops working."""
    with connect(server) as client:
        _print_link(client.invite_again(_invited(client, email)["id"]), json_wanted)


@people.command()
@click.argument("email")
@yes_option
@remote
def uninvite(email: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Revoke an invitation; its link stops working."""
    with connect(server) as client:
        found = _invited(client, email)
        ask_first(f"Revoke the invitation of {found['email']}?", yes=yes)
        client.revoke_invitation(found["id"])
    if json_wanted:
        as_json({"deleted": found["email"]})
    else:
        note(f"Revoked the invitation of {found['email']}.")


def granted(grant: GrantData) -> str:
    place = "/".join(filter(None, (grant["project"], grant["environment"])))
    return f"{grant['role']} in {place}"


def _promised(text: str) -> PromisedData:
    place, colon, role = text.rpartition(":")
    project, _, environment = place.partition("/")
    if not colon or not project:
        raise BadRequest(f"{text!r} is not a place and a role.", todo=("Write it as blog:developer.",))
    return {"project": project, "environment": environment or None, "role": role}


def _invited(client: Client, email: str) -> InvitationData:
    for one in client.invitations()["items"]:
        if one["email"].lower() == email.lower() and not one["joining"]:
            return one
    raise NotFound(f"{email} is not invited.", todo=("List invitations with `homeport people invitations`.",))


def _print(person: PortraitData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(person)
        return
    facts(
        [
            ("E-mail", person["email"]),
            ("Role", person["role"]),
            ("Teams", ", ".join(person["teams"])),
            ("Granted", ", ".join(granted(one) for one in person["grants"])),
            ("Second factor", _yes(person["second_factor"])),
            ("Last seen", ago(person["last_seen_at"])),
            ("Since", ago(person["created_at"])),
        ]
    )


def _print_link(made: InvitationData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(made)
        return
    sent = " It goes out by e-mail too." if made.get("sent") else ""
    note(f"Give this link to {made['email']} now: it is not shown again.{sent}")
    click.echo(made.get("link", ""))


def _row(person: PortraitData) -> tuple[str, ...]:
    factor = _yes(person["second_factor"])
    return person["email"], person["role"], ", ".join(person["teams"]), factor, ago(person["last_seen_at"])


def _invitation_row(one: InvitationData) -> tuple[str, ...]:
    return one["email"], one["role"], one["created_by"], ago(one["created_at"]), one["expires_at"][:10]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
