"""`homeport doctor`: what on this host is and isn't in order."""

import dataclasses
from collections.abc import Sequence

import click

from appliance.cli.edge import FAILED
from appliance.cli.host import data_option, host, settings
from appliance.cli.options import json_option, option
from appliance.cli.show import COLOURS, as_json, counted
from appliance.cli.text import clean
from appliance.deploy.mend import Found
from appliance.model.amounts import how_many
from appliance.model.checks import Check


@click.command()
@option("--store", "store_wanted", is_flag=True, help="Read every content of every release, and mend what is damaged.")
@data_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, store_wanted: bool, data: str | None, json_wanted: bool) -> None:
    """Check this host, and say how to mend what isn't in order.

    Exits with 1 when a check failed.
    """
    if store_wanted:
        found = host().examine_store(settings(data=data))
        as_json(dataclasses.asdict(found)) if json_wanted else _print_store(found)
        if found.lost:
            ctx.exit(FAILED)
        return
    checks = host().doctor(settings(data=data))
    if json_wanted:
        as_json({"items": [dataclasses.asdict(check) for check in checks], "next": None})
    else:
        _print(checks)
    if any(check.status == "failed" for check in checks):
        ctx.exit(FAILED)


def _print_store(found: Found) -> None:
    click.echo(f"{how_many(found.contents, 'content')} read")
    for path in found.mended:
        click.echo(f"{click.style('mended', fg=COLOURS.get('ok'))}  {clean(path)}")
    for path in found.lost:
        click.echo(f"{click.style('failed', fg=COLOURS.get('failed'))}  {clean(path)}")
    if found.lost:
        click.echo("No bundle here has the right bytes of these. Deploy their site again, or restore a backup.")
    elif not found.mended:
        click.echo("Each is what its name says.")


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
