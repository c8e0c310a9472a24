"""`homeport variables`: what environments are started with."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from appliance.cli.ask import ask_first
from appliance.cli.logins import connect
from appliance.cli.options import environment_option, no_wait_option, option, project_option, remote, yes_option
from appliance.cli.show import ago, as_json, counted, facts, note, table
from appliance.cli.watch import carry_out
from appliance.client import ChangeData, Client, VariableData
from appliance.errors import BadRequest
from appliance.model.variables import value_of

LONGEST = 60  # characters of a value in a list
WORDS = {"added": "added", "changed": "changed", "removed": "removed", "same": "the same", "kept": "a secret, kept"}


@dataclass(frozen=True)
class Where:
    """A project, and one environment of it unless what they share is meant."""

    project: str
    environment: str | None

    @property
    def words(self) -> str:
        return f"{self.project} {self.environment}" if self.environment else self.project


def where_options(function: Callable[..., None]) -> Callable[..., None]:
    @wraps(function)
    def told(*, project: str, environment: str, shared: bool, **more: Any) -> None:
        function(where=Where(project, None if shared else environment), **more)

    text = "Those that the project's environments share, not one environment's."
    return project_option(environment_option(option("--shared", is_flag=True, help=text)(told)))


@click.group()
def variables() -> None:
    """List, set, unset, import, export and apply variables."""


@variables.command("list")
@where_options
@remote
def list_(*, where: Where, json_wanted: bool, server: str | None) -> None:
    """List the variables that count in an environment."""
    with connect(server) as client:
        page = client.variables(where.project, where.environment)
        changes = _not_live_yet(client, where)
    if json_wanted:
        as_json(page)
        return
    if page["items"]:
        table(("Name", "Value", "From", "Changed", "By"), [_row(one) for one in page["items"]])
    else:
        note(f"No variables yet. Set one with `homeport variables set NAME --project {where.project}`.")
    _say_not_live_yet(changes)


@variables.command("set")
@click.argument("name")
@click.argument("value", required=False)
@where_options
@option("--secret/--plain", default=None, help="Whether its value is never shown again; as it is when left out.")
@option("--exact", is_flag=True, help="Keep the newline that ends what is read from standard input.")
@remote
def set_(
    *,
    name: str,
    value: str | None,
    where: Where,
    secret: bool | None,
    exact: bool,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Set a variable. VALUE is asked for when left out, or read from standard input with -.

    A secret's value is never taken from the command line, where others on the host could read it.
    """
    if secret and value not in (None, "-"):
        raise click.UsageError(f"Leave the value of a secret out to be asked for it, or send it: {name} -.")
    with connect(server) as client:
        client.variables(where.project, where.environment)  # before anyone types
        text = _sent(value if value not in (None, "-") else _asked(value, name, exact=exact, secret=bool(secret)))
        made = client.set_variable(where.project, where.environment, name, text, secret=secret)
        changes = _not_live_yet(client, where)
    if json_wanted:
        as_json(made)
        return
    facts(
        [("Name", made["name"]), ("Value", _value(made)), ("From", _from(made)), ("Changed", ago(made["changed_at"]))]
    )
    _say_not_live_yet(changes)


@variables.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@where_options
@yes_option
@remote
def unset(
    *,
    names: tuple[str, ...],
    where: Where,
    yes: bool,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Remove variables, all of them or none."""
    with connect(server) as client:
        ask_first(f"Remove {', '.join(names)} from {where.words}?", yes=yes)
        client.change_variables(where.project, where.environment, (), names)
    if json_wanted:
        as_json({"removed": list(names)})
    else:
        note(f"Removed {', '.join(names)} from {where.words}.")


@variables.command("import")
@click.argument("file", metavar="FILE|-")
@where_options
@option("--secret", is_flag=True, help="Make secrets of names that are new here.")
@option("--dry-run", is_flag=True, help="Say what it would change, and change nothing.")
@remote
def import_(
    *,
    file: str,
    where: Where,
    secret: bool,
    dry_run: bool,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Set what a .env file says, all of it or nothing. What is not in the file stays."""
    text = _decoded(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes(), file)
    with connect(server) as client:
        done = client.import_variables(where.project, where.environment, text, secret=secret, dry_run=dry_run)
    if json_wanted:
        as_json(done)
        return
    if done["changes"]:
        table(
            ("Name", "Would be" if dry_run else "Is"), [(one["name"], WORDS[one["change"]]) for one in done["changes"]]
        )
    else:
        note("The file names no variables.")
    if dry_run:
        note("Nothing was changed.")


@variables.command()
@where_options
@option("--with-shared", is_flag=True, help="The shared ones that count in the environment too.")
@remote
def export(*, where: Where, with_shared: bool, json_wanted: bool, server: str | None) -> None:
    """Print an environment's own variables as a .env file. Secrets are names without a value."""
    with connect(server) as client:
        text = client.export_variables(where.project, where.environment, shared=with_shared)
    if json_wanted:
        as_json({"text": text})
    else:
        click.echo(text.encode(), nl=False)


@variables.command()
@project_option
@environment_option
@no_wait_option
@remote
def apply(*, project: str, environment: str, no_wait: bool, json_wanted: bool, server: str | None) -> None:
    """Deploy what is live once more, with the variables as they are now."""
    with connect(server) as client:
        deployment = client.apply_variables(project, environment)
        carry_out(client, deployment, no_wait=no_wait, json_wanted=json_wanted)


def _asked(value: str | None, name: str, *, exact: bool, secret: bool) -> str:
    """Typed where somebody is there to be asked; else all that comes on standard input."""
    if value is None and sys.stdin.isatty():
        answer: str = click.prompt(f"Value of {name}", hide_input=secret, default="", show_default=False, err=True)
        return answer
    text = _decoded(sys.stdin.buffer.read(), "Standard input")
    return text if exact else text.removesuffix("\n").removesuffix("\r")


def _sent(value: str) -> str:
    """Refused here in words where JSON could not carry it."""
    try:
        return value_of(value)
    except ValueError as why:
        raise BadRequest(f"{why}.") from why


def _decoded(raw: bytes, where: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as why:
        raise BadRequest(f"{where} is not UTF-8 text: byte {why.start + 1} is none.") from why


def _not_live_yet(client: Client, where: Where) -> list[ChangeData]:
    if where.environment is None:
        return []
    return client.variable_changes(where.project, where.environment)["items"]


def _say_not_live_yet(changes: list[ChangeData]) -> None:
    if changes:
        names = ", ".join(one["name"] for one in changes)
        note(f"Saved but not live yet: {names}. Put them live with `homeport variables apply`.")


def _row(one: VariableData) -> tuple[str, ...]:
    return one["name"], _value(one), _from(one), ago(one["changed_at"]), one["changed_by"]


def _from(one: VariableData) -> str:
    return "project" if one["shared"] else "environment, not the project" if one["overrides"] else "environment"


def _value(one: VariableData) -> str:
    """Enough to know it by; --json has all of it."""
    if one["lost"]:
        return "(lost: enter it again)"
    if one["value"] is None:
        return "(secret)"
    first, *rest = one["value"].split("\n")
    shown = f"{first[:LONGEST]}..." if len(first) > LONGEST else first
    return f"{shown} (and {counted(len(rest), 'line')})" if rest else shown
