"""`homeport backups`: those that the server takes, by itself or when it is asked to."""

from pathlib import Path

import click

from appliance.cli.ask import ask_first
from appliance.cli.download import save
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import limit_option, no_wait_option, option, remote, yes_option
from appliance.cli.show import ago, as_json, facts, note, size
from appliance.client import BackupData, Client
from appliance.errors import HomeportError
from appliance.machine.waiting import seconds


@click.group()
def backups() -> None:
    """List, create, show, download and delete the server's backups."""


@backups.command("list")
@limit_option
@remote
def list_(limit: int, json_wanted: bool, server: str | None) -> None:
    """List backups, newest first."""
    with connect(server) as client:
        page = client.backups(limit)
    head = ("Id", "Status", "Size", "Taken", "By", "Place")
    listed(page, head, _row, json_wanted=json_wanted, empty="No backups yet. Take one: `homeport backups create`.")


@backups.command()
@no_wait_option
@remote
def create(no_wait: bool, json_wanted: bool, server: str | None) -> None:
    """Take a backup now, to the place that Settings name."""
    with connect(server) as client:
        made = client.create_backup()
        if not no_wait:
            made = _ended(client, made)
    if json_wanted:
        as_json(made)
    else:
        click.echo(made["id"])
        note(
            made["error"] or (f"{made['name']} is in {made['place']}." if made["status"] == "succeeded" else "Queued.")
        )
    if made["status"] == "failed":
        raise HomeportError(f"The backup failed: {made['error']}")


@backups.command()
@click.argument("backup", metavar="ID")
@remote
def show(backup: str, json_wanted: bool, server: str | None) -> None:
    """Show a backup."""
    with connect(server) as client:
        found = client.backup(backup)
    if json_wanted:
        as_json(found)
        return
    pairs = list(zip(("Id", "Status", "Size", "Taken", "By", "Place"), _row(found), strict=True))
    facts([*pairs, ("File", found["name"]), ("SHA-256", found["sha256"] or ""), ("Note", found["error"] or "")])


@backups.command()
@click.argument("backup", metavar="ID")
@option("--output", "-o", type=click.Path(path_type=Path), help="The file to write; the backup's name when left out.")
@remote
def download(backup: str, output: Path | None, json_wanted: bool, server: str | None) -> None:
    """Download a backup, and check that it is whole."""
    with connect(server) as client:
        found = client.backup(backup)
        target = output or Path(found["name"])
        save(client.download_backup(backup), target, sha256=found["sha256"] or "", mode=0o600)
    if json_wanted:
        as_json(found)
    else:
        note(f"Wrote {target}.")


@backups.command()
@click.argument("backup", metavar="ID")
@yes_option
@remote
def delete(backup: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Delete a backup from where it is kept."""
    with connect(server) as client:
        found = client.backup(backup)
        ask_first(f"Delete the backup {found['name']}?", yes=yes)
        client.delete_backup(found["id"])
    if json_wanted:
        as_json({"deleted": found["id"]})
    else:
        note(f"Deleted {found['name']}.")


def _ended(client: Client, made: BackupData) -> BackupData:
    for _ in seconds():
        made = client.backup(made["id"])
        if made["status"] in ("succeeded", "failed"):
            break
    return made


def _row(backup: BackupData) -> tuple[str, ...]:
    taken = size(backup["size"]) if backup["size"] is not None else ""
    return (
        backup["id"],
        backup["status"],
        taken,
        ago(backup["created_at"]),
        backup["created_by"],
        backup["place"],
    )
