"""`homeport rotate-key`: another key for everything secret."""

import dataclasses

import click

from appliance.cli.host import data_option, host, settings
from appliance.cli.options import json_option, option
from appliance.cli.show import as_json, counted
from appliance.settings import ABOUT


@click.command("rotate-key")
@option("--lost", is_flag=True, help="The key is gone for good: forget what it sealed, and begin with a new one.")
@data_option
@json_option
def rotate_key(data: str | None, *, lost: bool, json_wanted: bool) -> None:
    """Seal everything secret with a new key.

    Homeport may go on serving meanwhile. Everybody has to sign in again; API keys stay as they are. Backups with keys
    that were taken before keep the key that they were taken with.
    """
    done = host().rotate_key(settings(data=data), lost=lost)
    if json_wanted:
        as_json(dataclasses.asdict(done))
        return
    sealed = f"{counted(done.secrets, 'secret')} {'is' if done.secrets == 1 else 'are'} sealed with it."
    click.echo("There is a new key." if lost else f"There is a new key, and {sealed}")
    for name in done.to_enter:
        click.echo(f"Enter again in Settings: {ABOUT[name].text}")
    click.echo("Everybody has to sign in again.")
