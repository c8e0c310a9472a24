"""`homeport backup`: everything in one file, while serving."""

import dataclasses
from pathlib import Path

import click

from appliance.cli import passphrase
from appliance.cli.host import data_option, host, settings
from appliance.cli.options import json_option, option
from appliance.cli.show import as_json, counted, note, size


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@option("--with-keys", is_flag=True, help="Ask for a passphrase, and put the keys in, locked with it.")
@passphrase.file_option
@data_option
@json_option
def backup(file: Path, with_keys: bool, passphrase_file: Path | None, data: str | None, json_wanted: bool) -> None:
    """Write everything to one file: database, bundles, settings and logs.

    Homeport may go on serving meanwhile. With a passphrase the keys are in it too; without one, secrets that were
    saved in Settings have to be entered again after a restore.
    """
    found = settings(data=data)
    word = passphrase.given(passphrase_file) or (passphrase.asked(twice=True) if with_keys else "")
    if word or with_keys:
        passphrase.strong(word)
    done = host().backup(found, file, word)
    if json_wanted:
        as_json({"file": str(file), **dataclasses.asdict(done)})
        return
    click.echo(str(file))
    note(f"{size(done.size)}, {counted(done.bundles, 'bundle')}, SHA-256 {done.sha256}")
    if not done.keys:
        note("Without keys: secrets saved in Settings can't be read after a restore. --with-keys puts the keys in.")
    for sha256 in done.left_out:
        note(f"Left out: the bundle {sha256} is missing or damaged here. `homeport doctor --store` says more.")
