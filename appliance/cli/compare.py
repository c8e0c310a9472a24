"""`homeport compare`: two deployments side by side."""

import click

from appliance.cli.findings import print_findings
from appliance.cli.logins import connect
from appliance.cli.options import remote
from appliance.cli.show import as_json, counted, note, size
from appliance.cli.text import clean
from appliance.client import ChangesData

MOST = 30  # files of a kind


@click.command()
@click.argument("deployment")
@click.argument("other")
@remote
def compare(deployment: str, other: str, json_wanted: bool, server: str | None) -> None:
    """Show what differs between two deployments: files, how they answer, and what the X-ray found."""
    with connect(server) as client:
        found = client.compare(deployment, other)
    if json_wanted:
        as_json(found)
        return
    click.echo(
        f"{found['before']}, {size(found['size_before'])}, and then {found['after']}, {size(found['size_after'])}"
    )
    if found["same_files"]:
        click.echo("The files are the same.")
    _files("New", "+", found["added"])
    _files("Changed", "~", found["changed"])
    _files("Gone", "-", found["removed"])
    for line in found["rules"]:
        click.echo(clean(line))
    for title, findings in (("New findings", found["findings_new"]), ("Gone findings", found["findings_gone"])):
        if findings:
            click.secho(f"{title}:", bold=True)
            print_findings(findings)
    if found["same_files"] and not found["rules"]:
        note("Both answer the same.")


def _files(title: str, sign: str, some: ChangesData) -> None:
    if not some["count"]:
        return
    click.secho(f"{title}: {counted(some['count'], 'file')}", bold=True)
    for one in some["files"][:MOST]:
        sizes = [size(bytes_) for bytes_ in (one["before"], one["after"]) if bytes_ is not None]
        click.echo(f"  {sign} {clean(one['path'])}  {' to '.join(sizes)}")
    if some["count"] > MOST:
        click.echo(f"  and {some['count'] - MOST:,} more")
