"""`homeport cleanup`: remove what nobody may soon go back to."""

import click

from appliance.cli.logins import connect
from appliance.cli.options import option, remote
from appliance.cli.show import as_json, counted, note, size
from appliance.client import CleanupData


@click.command()
@option("--dry-run", is_flag=True, help="Only say what would be freed.")
@remote
def cleanup(*, dry_run: bool, json_wanted: bool, server: str | None) -> None:
    """Remove old releases, and contents that nothing refers to.

    Every bundle is kept. The server does this by itself every hour.
    """
    with connect(server) as client:
        found = client.would_free() if dry_run else client.clean_up()
    if json_wanted:
        as_json(found)
        return
    for one in found["releases"]:
        click.echo(f"{one['name'][:12]}  {size(one['unpacked'])}  {', '.join(one['deployments'])}".rstrip())
    note(_said(found, "Would free" if dry_run else "Freed"))


def _said(found: CleanupData, verb: str) -> str:
    gone = f"{counted(len(found['releases']), 'release')} and {counted(found['contents'], 'content')}"
    count = found["addresses"]
    ends = f" {count:,} permanent {'address ends' if count == 1 else 'addresses end'}." if count else ""
    return f"{verb} {size(found['bytes'])}: {gone}.{ends} {counted(found['kept'], 'release')} kept."
