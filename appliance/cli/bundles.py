"""`homeport bundles`: uploaded archives, kept as they came."""

from pathlib import Path

import click

from appliance.cli.download import save
from appliance.cli.logins import connect
from appliance.cli.options import option, remote
from appliance.cli.show import ago, as_json, counted, facts, note, size


@click.group()
def bundles() -> None:
    """Show and download bundles."""


@bundles.command()
@click.argument("sha256")
@remote
def show(sha256: str, json_wanted: bool, server: str | None) -> None:
    """Show a bundle."""
    with connect(server) as client:
        found = client.bundle(sha256)
    if json_wanted:
        as_json(found)
        return
    facts(
        [
            ("Bundle", found["sha256"]),
            ("File", found["filename"]),
            ("Holds", f"{counted(found['files'], 'file')}, {size(found['size'])}, {size(found['unpacked'])} unpacked"),
            ("Uploaded", f"{ago(found['created_at'])} by {found['created_by']}"),
        ]
    )


@bundles.command()
@click.argument("sha256")
@option("--output", "-o", type=click.Path(path_type=Path), help="The file to write; the bundle's name when left out.")
@remote
def download(sha256: str, output: Path | None, json_wanted: bool, server: str | None) -> None:
    """Download a bundle, byte for byte as it was uploaded."""
    with connect(server) as client:
        found = client.bundle(sha256)
        target = output or Path(f"{found['sha256']}.zip")
        save(client.download_bundle(sha256), target)
    if json_wanted:
        as_json(found)
    else:
        note(f"Wrote {target}.")
