"""`homeport activity`: what anyone did, and whether the record of it is whole."""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.cli.download import save
from appliance.cli.edge import FAILED
from appliance.cli.host import data_option, host, settings
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import json_option, limit_option, option, remote, server_option
from appliance.cli.show import ago, as_json, counted, note
from appliance.cli.text import clean
from appliance.client import ActivityData

F = TypeVar("F", bound=Callable[..., object])
WHICH = {
    "q": ("--search", "TEXT", "Only with this text."),
    "person": ("--person", "EMAIL", "Only by this person, also with a key."),
    "key": ("--key-used", "KEY", "Only with this key, by its id or name."),
    "verb": ("--verb", "VERB", "Only this verb, or those with this first word."),
    "project": ("--project", "NAME", "Only in this project."),
    "environment": ("--environment", "NAME", "Only in environments of this name."),
    "since": ("--since", "TIME", "Only from this day or time (UTC) on."),
    "until": ("--until", "TIME", "Only before this time, or up to the end of this day."),
}


def which_options(function: F) -> F:
    for name, (flag, metavar, text) in reversed(WHICH.items()):
        short = ("-p",) if name == "project" else ("-e",) if name == "environment" else ()
        function = option(flag, *short, name, metavar=metavar, help=text)(function)
    return function


@click.group(invoke_without_command=True)
@limit_option
@which_options
@remote
def activity(limit: int, json_wanted: bool, server: str | None, **which: str | None) -> None:
    """List what anyone did, newest first; export it, or verify that it is whole."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand:
        _refuse_before(ctx)
        return
    with connect(server) as client:
        page = client.activity(limit, **which)
    head = ("When", "Who", "What", "To what")
    listed(page, head, _row, json_wanted=json_wanted, empty="Nothing like that has happened.")


@activity.command()
@option("--output", "-o", type=click.Path(path_type=Path), help="The file to write; standard output when left out.")
@which_options
@remote
def export(output: Path | None, json_wanted: bool, server: str | None, **which: str | None) -> None:
    """Write entries as lines of JSON, the oldest first."""
    with connect(server) as client:
        pieces = client.export_activity(which)
        if output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        save(pieces, output, mode=0o600)
    if json_wanted:
        as_json({"file": str(output), "size": output.stat().st_size})
    else:
        note(f"Wrote {output}.")


@activity.command()
@data_option
@server_option
@json_option
@click.pass_context
def verify(ctx: click.Context, data: str | None, server: str | None, json_wanted: bool) -> None:
    """Find any entry that was edited, added or removed; on the server's host, or with --server from anywhere.

    Exits with 1 when there is one.
    """
    if server:
        with connect(server) as client:
            found: dict[str, Any] = dict(client.verify_activity())
    else:
        found = dataclasses.asdict(host().verify_activity(settings(data=data)))
    as_json(found) if json_wanted else _print(found)
    if not found["whole"]:
        ctx.exit(FAILED)


def _print(found: dict[str, Any]) -> None:
    click.echo(f"{counted(found['entries'], 'entry').replace('entrys', 'entries')} read, up to #{found['last']}.")
    if found["whole"]:
        click.echo(f"Each is as it was written. The hash that stands for all of them: {found['hash'] or 'none yet'}")
    for flaw in found["flaws"]:
        rows = f"#{flaw['first']}" if flaw["first"] == flaw["last"] else f"#{flaw['first']} to #{flaw['last']}"
        click.echo(f"{click.style(flaw['what'].ljust(7), fg='red')}  {rows}: {clean(flaw['detail'])}")


def _refuse_before(ctx: click.Context) -> None:
    """What is typed before a subcommand would be lost."""
    for name in ctx.params:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"Put the options after “{ctx.invoked_subcommand}”.", ctx)


def _row(one: ActivityData) -> tuple[str, ...]:
    return ago(one["at"]), one["actor"], one["verb"], one["subject"]
