"""`homeport doctor`: what on this host is and isn't in order."""

import dataclasses
from collections.abc import Sequence

import click

from appliance.cli.edge import FAILED
from appliance.cli.host import data_option, host, settings
from appliance.cli.options import json_option
from appliance.cli.show import COLOURS, as_json, counted
from appliance.cli.text import clean
from appliance.model.checks import Check


@click.command()
@data_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, data: str | None, json_wanted: bool) -> None:
    """Check this host, and say how to mend what isn't in order.

    Exits with 1 when a check failed.
    """
    checks = host().doctor(settings(data=data))
    if json_wanted:
        as_json({"items": [dataclasses.asdict(check) for check in checks], "next": None})
    else:
        _print(checks)
    if any(check.status == "failed" for check in checks):
        ctx.exit(FAILED)


def _print(checks: Sequence[Check]) -> None:
    widest = max(len(check.name) for check in checks)
    for check in checks:
        word = click.style(check.status.ljust(6), fg=COLOURS.get(check.status))
        click.echo(f"{word}  {check.name.ljust(widest)}  {clean(check.text)}")
        if check.mend:
            click.echo(f"{'':{widest + 10}}{clean(check.mend)}")
    failed = sum(check.status == "failed" for check in checks)
    warned = sum(check.status == "warn" for check in checks)
    click.echo(f"{counted(len(checks), 'check')}, {failed} failed, {counted(warned, 'warning')}")
