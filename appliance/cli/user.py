"""`homeport user`: accounts, made and mended on the server's host."""

import dataclasses

import click

from appliance.cli.host import ask_password, data_option, host, settings
from appliance.cli.options import json_option, option
from appliance.cli.show import ago, as_json, note, table
from appliance.model.people import ROLES, NewPerson, Person


@click.group()
def user() -> None:
    """Add people and reset passwords."""


@user.command("list")
@data_option
@json_option
def list_(data: str | None, json_wanted: bool) -> None:
    """List the people who have an account."""
    people = host().list_people(settings(data=data))
    if json_wanted:
        as_json({"items": [dataclasses.asdict(person) for person in people], "next": None})
    else:
        table(("E-mail", "Role", "Since"), [(one.email, one.role, ago(one.created_at)) for one in people])


@user.command()
@click.argument("email")
@option("--role", type=click.Choice(ROLES), default="owner", show_default=True, help="What they may do here.")
@data_option
@json_option
def add(email: str, role: str, data: str | None, json_wanted: bool) -> None:
    """Add a person. The password is asked for, or read from standard input."""
    new = NewPerson.parse({"email": email, "password": ask_password(twice=True), "role": role})
    made = host().add_person(settings(data=data), new.email, new.password, new.role)
    _done(made, "{} can sign in now.", json_wanted)


@user.command("reset-password")
@click.argument("email")
@data_option
@json_option
def reset_password(email: str, data: str | None, json_wanted: bool) -> None:
    """Give a person a new password and end their sessions."""
    new = NewPerson.parse({"email": email, "password": ask_password(twice=True)})
    _done(host().reset_password(settings(data=data), new.email, new.password), "{} has a new password.", json_wanted)


@user.command("reset-factors")
@click.argument("email")
@data_option
@json_option
def reset_factors(email: str, data: str | None, json_wanted: bool) -> None:
    """Take a person's second factors away and end their sessions."""
    _done(host().reset_factors(settings(data=data), email), "{} signs in by password alone now.", json_wanted)


def _done(person: Person, text: str, json_wanted: bool) -> None:
    if json_wanted:
        as_json(dataclasses.asdict(person))
    else:
        note(text.format(person.email))
