"""`homeport log`: what the server did outside of itself."""

import json
from datetime import datetime

import click

from appliance.cli.logins import connect
from appliance.cli.options import limit_option, option, remote
from appliance.cli.show import as_json, note
from appliance.cli.text import clean
from appliance.cli.watch import LEVELS
from appliance.client import Client, ProcessLine
from appliance.model.process_log import AREAS
from appliance.model.process_log import LEVELS as KNOWN


@click.command()
@option("--follow", "-f", is_flag=True, help="Go on with what comes, until you leave.")
@option("--area", type=click.Choice(list(AREAS)), help="Only what was done there.")
@option("--level", type=click.Choice(KNOWN), help="This level and what is worse: warn, or error alone.")
@option("--search", "-q", metavar="TEXT", help="Only lines with this text.")
@option("--project", "-p", metavar="NAME", help="Only lines about this project.")
@option("--since", metavar="WHEN", help="Only from this day or time on.")
@limit_option
@remote
def log(*, follow: bool, limit: int, json_wanted: bool, server: str | None, search: str | None, **which: str) -> None:
    """Print what the server did to NGINX, DNS, certificates, e-mail and backups, the newest last.

    With --follow and --json, one object a line.
    """
    asked: dict[str, str | None] = {**which, "q": search}
    with connect(server) as client:
        page = client.process_log(limit, **asked)
        lines = page["items"][::-1]
        if json_wanted and not follow:
            as_json(page)
            return
        for line in lines:
            _say(line, json_wanted)
        if follow:
            _follow(client, lines[-1]["id"] if lines else 0, asked, json_wanted)
        elif not lines:
            note("No line like that.")


def _follow(client: Client, after: int, asked: dict[str, str | None], json_wanted: bool) -> None:
    lost = "The connection was lost; trying again..."
    for line in client.follow_process_log(after, lost=lambda: note(lost), **asked):
        _say(line, json_wanted)


def _say(line: ProcessLine, json_wanted: bool) -> None:
    if json_wanted:
        click.echo(json.dumps(line))
        return
    about = f"{line['subject']}: " if line["subject"] and line["subject"] not in line["text"] else ""
    at = datetime.fromisoformat(line["at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    text = clean(f"{at} {line['area']:<13} {' '.join((about + line['text'], *line['todo']))}")
    click.echo(click.style(text, fg=LEVELS[line["level"]]) if line["level"] in LEVELS else text)
