"""`homeport settings`: reading, changing and trying them."""

import sys
from pathlib import Path
from typing import BinaryIO

import click

from appliance.cli.ask import ask_first
from appliance.cli.edge import FAILED
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import option, remote, yes_option
from appliance.cli.show import ago, as_json, counted, facts, note
from appliance.cli.text import clean
from appliance.client import Client, SettingData
from appliance.errors import BadRequest, NotFound
from appliance.settings import nearest


@click.group()
def settings() -> None:
    """Show, change and try the server's settings."""


@settings.command()
@click.argument("name", required=False)
@remote
def get(name: str | None, json_wanted: bool, server: str | None) -> None:
    """Show all settings, or the value of NAME alone. A secret's value is never shown."""
    with connect(server) as client:
        page = client.settings()
    if name is None:
        listed(page, ("Name", "Value", "Saved", "By"), _row, json_wanted=json_wanted, empty="There are no settings.")
        return
    found = _named(page["items"], name)
    if json_wanted:
        as_json(found)
    elif found["secret"]:
        note("A value is set. It is never shown." if found["set"] else "No value is set.")
    else:
        click.echo(clean(found["value"] or ""))


@settings.command("set")
@click.argument("name")
@click.argument("value", required=False)
@remote
def set_(name: str, value: str | None, json_wanted: bool, server: str | None) -> None:
    """Save VALUE for NAME. A secret is asked for, or read from standard input, as any other value is with `-`."""
    with connect(server) as client:
        found = _named(client.settings()["items"], name)
        _save(client, found, _value(found, value), json_wanted)


@settings.command()
@click.argument("name")
@remote
def unset(name: str, json_wanted: bool, server: str | None) -> None:
    """Forget what was saved for NAME: the environment or the default counts again."""
    with connect(server) as client:
        _save(client, _named(client.settings()["items"], name), None, json_wanted)


@settings.command()
@click.argument("area", metavar="AREA")
@option("--to", metavar="ADDRESS", default="", help="For mail: where the test message goes; to you when left out.")
@remote
@click.pass_context
def test(ctx: click.Context, area: str, to: str, json_wanted: bool, server: str | None) -> None:
    """Try what settings lead to: nginx, dns, certificates, mail or backups. Exits with 1 where something is amiss."""
    with connect(server) as client:
        found = client.test_settings(area, to)
    if json_wanted:
        as_json(found)
    else:
        facts([(check["status"], " ".join((check["text"], check["mend"])).strip()) for check in found["items"]])
    if any(check["status"] == "failed" for check in found["items"]):
        ctx.exit(FAILED)


@settings.command()
@option("--output", "-o", type=click.Path(path_type=Path), help="The file to write; standard output when left out.")
@remote
def export(output: Path | None, json_wanted: bool, server: str | None) -> None:
    """Write all settings but the secrets as one YAML file."""
    with connect(server) as client:
        file = client.export_settings()
    if output:
        output.write_bytes(file)
    if json_wanted:
        as_json({"file": file.decode()})
    elif output:
        note(f"Wrote {output}.")
    else:
        click.echo(file.decode(), nl=False)


@settings.command("import")
@click.argument("file", type=click.File("rb"))
@option("--dry-run", is_flag=True, help="Show what it would change, and change nothing.")
@yes_option
@remote
def import_(file: BinaryIO, dry_run: bool, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Take settings from FILE, all or nothing, after showing what changes. What is not in it is forgotten."""
    text = file.read()
    with connect(server) as client:
        found = client.preview_settings(text)
        if not json_wanted:
            click.echo(clean(found["diff"], lines=True), nl=False)
        if found["changes"] and not dry_run:
            question = f"Change {counted(len(found['changes']), 'setting')}?"
            ask_first(question, yes=yes, otherwise="Nothing was changed.")
            found = client.import_settings(text)
    if json_wanted:
        as_json(found)
    else:
        note(_came_to(len(found["changes"]), applied=found["applied"]))


def _came_to(count: int, *, applied: bool) -> str:
    if not count:
        return "The settings are like this already."
    return f"{counted(count, 'setting')} {'changed' if applied else 'would change'}."


def _named(those: list[SettingData], name: str) -> SettingData:
    """By its name, or by the variable that sets it."""
    wanted = name.lower().removeprefix("homeport_").replace("-", "_")
    found = next((one for one in those if one["name"] == wanted), None)
    if found is None:
        near = nearest(wanted)
        todo = (f"Did you mean {near}?",) if near else ("`homeport settings get` lists them.",)
        raise NotFound(f"There is no setting called {name} that can be saved.", todo=todo)
    return found


def _value(setting: SettingData, given: str | None) -> str:
    if setting["secret"] and given not in (None, "-"):
        raise BadRequest(
            "A secret on the command line would stay in the shell's history.",
            todo=("Leave it out to be asked for it, or send it on standard input.",),
        )
    if given not in (None, "-"):
        return str(given)
    if sys.stdin.isatty():
        hidden = setting["secret"]
        answer: str = click.prompt(f"Value of {setting['name']}", hide_input=hidden, err=True)
        return answer
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise BadRequest("No value was given.", todo=(f"`homeport settings unset {setting['name']}` forgets one.",))
    return line


def _save(client: Client, setting: SettingData, value: str | None, json_wanted: bool) -> None:
    now = _named(client.change_settings({setting["name"]: value})["items"], setting["name"])
    if json_wanted:
        as_json(now)
    elif now["secret"]:
        note(f"{now['name']} is {'set' if now['set'] else 'not set'}.")
    else:
        note(f"{now['name']} is {now['value'] or 'empty'}.")


def _row(setting: SettingData) -> tuple[str, ...]:
    shown = ("(set, never shown)" if setting["set"] else "") if setting["secret"] else setting["value"] or ""
    return (setting["name"], shown, ago(setting["saved_at"]) if setting["saved_at"] else "", setting["saved_by"] or "")
