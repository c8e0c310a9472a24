"""`homeport xray`: what is in a deployment."""

import click

from appliance.cli.findings import print_findings
from appliance.cli.logins import connect
from appliance.cli.options import remote
from appliance.cli.show import as_json, counted, facts, note, size
from appliance.client import NamesData, WeightData

PATIENCE = 20.0  # seconds to wait until pages were read


@click.command()
@click.argument("deployment")
@remote
def xray(deployment: str, json_wanted: bool, server: str | None) -> None:
    """Show what is in a deployment.

    Changes against what was live, links that lead nowhere, secrets, weight, and what built it.
    """
    with connect(server) as client:
        found = client.xray(deployment, wait=PATIENCE)
    if json_wanted:
        as_json(found)
        return
    facts(
        [
            ("Files", f"{counted(found['files'], 'file')}, {size(found['size'])}"),
            ("Against", found["against"] or "nothing that was live"),
            ("New", _names(found["added"])),
            ("Changed", _names(found["changed"])),
            ("Gone", _names(found["removed"])),
            ("Pages", f"{counted(found['pages'], 'page')}, a typical one {size(found['page_weight'])}"),
            ("Heaviest", _heaviest(found["heaviest_pages"] or found["heaviest_files"])),
            ("Built by", found["generator"]),
        ]
    )
    if found["state"] != "done":
        note(
            "Pages were not read yet."
            if found["state"] == "looking"
            else "Pages were not read: the release was removed before, or something went wrong."
        )
    if not found["findings"]:
        note("Nothing to mend was found.")
    print_findings(found["findings"])


def _names(some: NamesData) -> str:
    if not some["count"]:
        return ""
    more = f" and {some['count'] - 3:,} more" if some["count"] > 3 else ""
    return f"{counted(some['count'], 'file')}, {size(some['size'])}: {', '.join(some['names'][:3])}{more}"


def _heaviest(those: list[WeightData]) -> str:
    return ", ".join(f"{one['path']} {size(one['size'])}" for one in those[:3])
