"""`homeport activity`: what anyone did."""

import click

from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, remote
from appliance.cli.show import ago
from appliance.client import ActivityData


@click.command()
@limit_option
@remote
def activity(limit: int, json_wanted: bool, server: str | None) -> None:
    """List what anyone did, newest first."""
    with connect(server) as client:
        page = client.activity(limit)
    head = ("When", "Who", "What", "To what")
    listed(page, head, _row, json_wanted=json_wanted, empty="Nothing has happened yet.")


def _row(one: ActivityData) -> tuple[str, ...]:
    return ago(one["at"]), one["actor"], one["verb"], one["subject"]
