"""`homeport upgrade`: another file goes on in place of the one that runs."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from appliance.cli.host import data_option
from appliance.cli.options import json_option, option
from appliance.cli.show import as_json
from appliance.installer.env import beneath
from appliance.settings import Settings

STEPS = {
    "rehearse": "The new file is tried on a copy of the database.",
    "swap": "Version {version} takes the place of {file}; the old file stays as {old}.",
    "hand over": "What is in hand is finished, then the new file goes on.",
}


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@data_option
@option("--back", is_flag=True, help="Go back to the file that ran before.")
@option(
    "--patience", type=click.FloatRange(1, 3600), default=60, show_default=True, help="Seconds it may take to answer."
)
@json_option
def upgrade(file: Path | None, data: str | None, *, back: bool, patience: float, json_wanted: bool) -> None:
    """Put a new file in place of the one that runs.

    Nothing is dropped: visitors wait for a moment. If the new file doesn't answer, the old one goes on.
    """
    if back == (file is not None):
        raise click.UsageError("Name the new file, or say --back.")
    started = time.monotonic()
    folder = Settings.load({"data": data}, beneath(os.environ, data)).data
    say: Callable[[str], None] = (lambda _: None) if json_wanted else click.echo
    from appliance.upgrade.ask import ask

    with _undisturbed():
        was, now = ask(folder, file, patience, lambda step, about: say(STEPS[step].format(**about)))
        _note_installed()
    if json_wanted:
        as_json({"from": was, "to": now, "seconds": round(time.monotonic() - started, 1)})
    else:
        click.echo(f"Homeport {now} runs, {was} before.")


def _note_installed() -> None:
    """Where the program was installed, what lies there now is still for `homeport install --uninstall` to remove."""
    from appliance.installer.host import note_program
    from appliance.installer.layout import PROGRAM
    from appliance.installer.plan import HOST

    if os.geteuid() == 0:
        note_program(HOST, PROGRAM)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A terminal that is closed in the middle doesn't leave the wrong file behind."""
    before = {one: signal.signal(one, signal.SIG_IGN) for one in (signal.SIGHUP, signal.SIGPIPE)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
