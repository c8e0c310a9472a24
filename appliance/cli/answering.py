"""`homeport environments site` and `guard`: how an environment answers."""

import click

from appliance.cli.host import ask_password
from appliance.cli.logins import connect
from appliance.cli.options import option, project_option, remote
from appliance.cli.show import as_json, facts, note, table
from appliance.client import Client, GuardData, PreviewData, SiteData
from appliance.errors import BadRequest


@click.command()
@click.argument("name")
@project_option
@option("--clean-urls/--no-clean-urls", default=None, help="Whether /about answers with about.html.")
@option("--fallback/--no-fallback", default=None, help="Whether index.html answers for what is not there.")
@option("--pages", metavar="TEXT", help="Cache-Control of pages.")
@option("--fingerprinted", metavar="TEXT", help="Cache-Control of names with a fingerprint.")
@option("--bridge-hours", type=int, metavar="N", help="How long files of earlier releases are served; 0: not at all.")
@option("--block", metavar="CODES", help="Findings of the X-ray that stop a deployment, with commas; empty for none.")
@option("--preview", is_flag=True, help="Show what it would change, and change nothing.")
@remote
def site(
    *, name: str, project: str, preview: bool, json_wanted: bool, server: str | None, **changes: str | bool | int | None
) -> None:
    """Show or set how the next deployments of an environment answer."""
    with connect(server) as client:
        asked = {key: value for key, value in changes.items() if value is not None}
        now = client.site(project, name)
        wanted = {**now, **asked}
        if preview:
            _print_preview(client.preview_site(project, name, wanted), json_wanted)
            return
        _print_site(client.change_site(project, name, wanted) if asked else now, json_wanted)
    if asked and not json_wanted:
        note("What is live answers as before; the next deployment answers like this.")


@click.command()
@click.argument("name")
@project_option
@option(
    "--password/--no-password", default=None, help="Set a password, asked for or on standard input; or take it away."
)
@option("--user", metavar="NAME", help="The name that goes with the password.")
@option("--maintenance", metavar="TEXT", help="Show a maintenance page that says this.")
@option("--up", is_flag=True, help="Take the maintenance page away.")
@remote
def guard(
    *,
    name: str,
    project: str,
    password: bool | None,
    user: str | None,
    maintenance: str | None,
    up: bool,
    json_wanted: bool,
    server: str | None,
) -> None:
    """Show or set what stands before an environment: a password, a maintenance page. It counts at once."""
    if up and maintenance:
        raise BadRequest("--up and --maintenance say opposite things.", todo=("Leave one of them out.",))
    with connect(server) as client:
        changes = _changes(client, project, name, password=password, user=user, maintenance="" if up else maintenance)
        found = client.change_guard(project, name, changes) if changes else client.guard(project, name)
    _print_guard(found, json_wanted)


def _changes(
    client: Client, project: str, name: str, *, password: bool | None, user: str | None, maintenance: str | None
) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    if password is not None:
        client.environment(project, name)  # before anyone types
        found["password"] = ask_password(twice=True) if password else None
    if user is not None:
        found["user"] = user
    if maintenance is not None:
        found["maintenance"] = maintenance
    return found


def _print_site(found: SiteData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(found)
        return
    facts(
        [
            ("Clean URLs", _yes(found["clean_urls"])),
            ("Fallback", "index.html" if found["fallback"] else "none"),
            ("Pages", found["pages"]),
            ("Fingerprinted", found["fingerprinted"]),
            ("Earlier files", f"{found['bridge_hours']} hours" if found["bridge_hours"] else "not served"),
            ("Stopped by", ", ".join(found["block"]) or "nothing that the X-ray finds"),
        ]
    )


def _print_guard(found: GuardData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(found)
        return
    password = f"set, for {found['user']}" if found["password"] else "none"
    facts([("Password", password), ("Maintenance page", found["maintenance"] or "off")])


def _print_preview(found: PreviewData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(found)
        return
    table(("Address", "Now", "Then"), [(one["path"], one["now"], one["then"]) for one in found["answers"]])
    if found["single_page"]:
        note("What is live looks like a single-page app: it needs --fallback.")
    for line in found["ignored"]:
        note(line)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
