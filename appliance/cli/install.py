"""`homeport install`: the appliance as a service of this host."""

import os
from pathlib import Path

import click

from appliance.cli.ask import ask_first
from appliance.cli.options import option, yes_option
from appliance.errors import BadRequest


@click.command()
@option("--dry-run", is_flag=True, help="Print every file and command; change nothing.")
@option("--uninstall", is_flag=True, help="Remove exactly what install wrote.")
@option("--purge", is_flag=True, help="With --uninstall: remove the data and the user too.")
@yes_option
@option("--host", metavar="ADDRESS", help="The address to listen on.")
@option("--port", type=click.IntRange(1, 65535), help="The port to listen on.")
@option("--data", metavar="DIR", help="The folder that holds everything: /var/lib/homeport.")
@option("--url", metavar="URL", help="Where people reach this appliance; NGINX leads there.")
@option("--root", metavar="DIR", default="/", hidden=True, help="Put everything below this folder.")
def install(  # noqa: PLR0913
    *,
    dry_run: bool,
    uninstall: bool,
    purge: bool,
    yes: bool,
    host: str | None,
    port: int | None,
    data: str | None,
    url: str | None,
    root: str,
) -> None:
    """Run the appliance as a service of this host.

    Writes the systemd units, the NGINX snippet and a user of its own. Root only, but for --dry-run.
    What was not named before stays as it was. Run again with another file, it is an upgrade.
    """
    from appliance.installer import host as installer
    from appliance.installer import removal
    from appliance.installer.layout import asked

    if uninstall:
        if purge:
            ask_first("Remove Homeport, its user and everything that was deployed?", yes=yes)
        removal.uninstall(Path(root), click.echo, purge=purge)
        return
    if purge:
        raise click.UsageError("--purge goes with --uninstall.")
    flags = {"host": host, "port": str(port) if port else None, "data": data, "url": url}
    wanted = asked(flags, os.environ, _program(), Path(root))
    if dry_run:
        installer.dry_run(wanted, click.echo)
    else:
        installer.install(wanted, click.echo, _take_over)


def _take_over(data: Path, program: Path) -> bool:
    """Have what runs there go on as this file; False where nothing runs that can."""
    from appliance.upgrade.ask import PATIENCE, ask, runs_from

    if not runs_from(data, program):
        return False
    was, now = ask(data, _program(), PATIENCE)
    click.echo(f"Homeport {now} runs, {was} before. Nothing was restarted.")
    return True


def _program() -> Path:
    """The file that this runs from."""
    file = os.environ.get("HOMEPORT_FILE")
    if not file:
        todo = ("Make it with ./build.sh, then run `dist/homeport install`.",)
        raise BadRequest("Only the built file can be installed.", todo=todo)
    return Path(file)
