"""`homeport restore`: a backup becomes an empty host's Homeport."""

import dataclasses
from pathlib import Path

import click

from appliance.cli import passphrase
from appliance.cli.host import data_option, host, settings
from appliance.cli.options import json_option, option
from appliance.cli.show import as_json, counted, note
from appliance.errors import BadBackup


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@passphrase.file_option
@option("--without-keys", is_flag=True, help="Leave the keys in the backup out: saved secrets are entered again.")
@data_option
@json_option
def restore(file: Path, passphrase_file: Path | None, without_keys: bool, data: str | None, json_wanted: bool) -> None:
    """Put a backup back into an empty data folder.

    The whole file is checked before anything is put in place; a damaged one changes nothing. Homeport must not be
    running with that folder. Its next start makes live again what was live.
    """
    found, word = settings(data=data), passphrase.given(passphrase_file)
    try:
        done = host().restore(found, file, word, without_keys=without_keys)
    except BadBackup as why:
        if why.code != "no_passphrase":
            raise
        if not (word := passphrase.asked(twice=False)):
            todo = "Give it with --passphrase-file or HOMEPORT_PASSPHRASE, or restore --without-keys."
            raise BadBackup(why.detail, code=why.code, todo=(todo,)) from why
        done = host().restore(found, file, word, without_keys=without_keys)
    if json_wanted:
        as_json({"data": str(found.data), **dataclasses.asdict(done)})
        return
    click.echo(str(found.data))
    note(f"Restored the backup of {done.made_at}, with {counted(done.bundles, 'bundle')}.")
    for sha256 in done.left_out:
        note(f"The backup has no bundle {sha256}: it was missing or damaged when the backup was taken.")
    if done.to_enter:
        note(f"Enter these again in Settings; they can't be read without the keys: {', '.join(done.to_enter)}.")
    note(f"Start it with: homeport serve --data {found.data}")
