"""Findings of an X-ray in a terminal."""

from collections.abc import Sequence

import click

from appliance.cli.show import note
from appliance.cli.text import clean
from appliance.client import Client, ClientError, DeploymentData, FindingData

COLOURS = {"warning": "yellow"}
FEW = 5
MOMENT = 1.0  # seconds: the site is live already


def print_findings(findings: Sequence[FindingData], *, err: bool = False) -> None:
    for one in findings:
        level = click.style(one["level"].capitalize(), fg=COLOURS.get(one["level"]))
        click.echo(f"{level}: {clean(one['text'])} ({one['code']})", err=err)
        for example in one["examples"][:FEW]:
            click.echo(f"  {clean(example)}", err=err)
        if one["count"] > FEW and len(one["examples"]) >= FEW:
            click.echo(f"  and {one['count'] - FEW:,} more", err=err)
        click.echo(f"  {clean(one['todo'])}", err=err)


def say_in_short(client: Client, deployment: DeploymentData, wait: float = MOMENT) -> None:
    """A few lines after a deployment; nothing where there is nothing to say, or where an older server is asked."""
    if not deployment.get("xray"):
        return
    try:
        report = client.xray(deployment["id"], wait=wait)
    except ClientError:
        return
    for one in report["findings"]:
        if one["level"] == "warning":
            note(f"X-ray: {one['text']} {'; '.join(one['examples'][:2])}".strip())
    if report["state"] == "looking":
        note(f"X-ray: pages are still being read. See `homeport xray {deployment['id']}`.")
    elif any(one["level"] == "warning" for one in report["findings"]):
        note(f"X-ray: all of it with `homeport xray {deployment['id']}`.")
