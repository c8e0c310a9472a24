"""`homeport urls`: host names that point at environments."""

from collections.abc import Mapping
from typing import Any

import click

from appliance.cli.ask import ask_first
from appliance.cli.host import ask_password
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import (
    F,
    environment_option,
    limit_option,
    no_wait_option,
    option,
    project_option,
    remote,
    yes_option,
)
from appliance.cli.show import as_json, facts, note
from appliance.client import Client, Page, UrlData
from appliance.errors import HomeportError

PATIENCE = 60  # seconds to wait for a URL to be in force


@click.group()
def urls() -> None:
    """List, create, show, update, check and delete the URLs of environments."""


@urls.command("list")
@option("--project", "-p", metavar="NAME", help="Only this project's.")
@option("--environment", "-e", metavar="NAME", help="Only this environment's.")
@limit_option
@remote
def list_(*, project: str | None, environment: str | None, limit: int, json_wanted: bool, server: str | None) -> None:
    """List URLs."""
    with connect(server) as client:
        page = _urls(client, project, environment, limit)
    head = ("URL", "Project", "Environment", "Status", "NGINX", "DNS")
    listed(page, head, _row, json_wanted=json_wanted, empty="No URLs yet. Add one with `homeport urls create`.")


def _set_up(function: F) -> F:
    """What a URL can be set to, now or later."""
    for one in reversed(
        (
            option("--primary/--not-primary", default=None, help="Whether it is the address of its environment."),
            option("--redirect-to", metavar="HOST", help="Lead visitors to this URL, or to `primary`; '' for not."),
            option("--redirect-status", type=click.IntRange(301, 308), metavar="CODE", help="301, 302, 307 or 308."),
            option("--allow", multiple=True, metavar="NETWORK", help="Let in only visitors from there; `private` too."),
            option("--allow-any", is_flag=True, help="Let in visitors from anywhere again."),
            option("--password/--no-password", default=None, help="Ask for a password of its own, or no longer."),
            option("--user", metavar="NAME", help="The name that goes with the password."),
        )
    ):
        function = one(function)
    return function


@urls.command()
@click.argument("host")
@project_option
@environment_option
@option("--proxied/--not-proxied", default=None, help="Whether Cloudflare's proxy stands in front.")
@_set_up
@no_wait_option
@remote
def create(
    *,
    host: str,
    project: str,
    environment: str,
    proxied: bool | None,
    no_wait: bool,
    json_wanted: bool,
    server: str | None,
    **wanted: Any,
) -> None:
    """Point a host name at an environment, and wait until it is in force.

    A password is asked for, or read from standard input.
    """
    settings = _settings(wanted)
    wait = None if no_wait else PATIENCE
    with connect(server) as client:
        made = client.create_url(project, environment, host, proxied=proxied, wait=wait, **settings)
    _settled(made, json_wanted)


@urls.command()
@click.argument("host")
@_set_up
@no_wait_option
@remote
def update(host: str, *, no_wait: bool, json_wanted: bool, server: str | None, **wanted: Any) -> None:
    """Change what a URL is set to, at once. What is not named stays as it is.

    A password is asked for, or read from standard input.
    """
    settings = _settings(wanted)
    if not settings:
        raise click.UsageError("Say what to change, such as --redirect-to primary.")
    with connect(server) as client:
        url = client.change_url(host, wait=None if no_wait else PATIENCE, **settings)
    _settled(url, json_wanted)


@urls.command()
@click.argument("host")
@no_wait_option
@remote
def check(host: str, no_wait: bool, json_wanted: bool, server: str | None) -> None:
    """Try again to put a URL in force."""
    with connect(server) as client:
        url = client.check_url(host, wait=None if no_wait else PATIENCE)
    _settled(url, json_wanted)


@urls.command()
@click.argument("host")
@remote
def show(host: str, json_wanted: bool, server: str | None) -> None:
    """Show a URL: its NGINX file and its DNS record."""
    with connect(server) as client:
        _print(client.url(host), json_wanted)


@urls.command()
@click.argument("host")
@yes_option
@remote
def delete(host: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Take a host name away from its environment, with its NGINX file and DNS record."""
    with connect(server) as client:
        url = client.url(host)
        ask_first(f"Delete {url['host']} from {url['project']} {url['environment']}?", yes=yes)
        client.delete_url(url["project"], url["environment"], url["host"])
    if json_wanted:
        as_json({"deleted": url["host"]})
    else:
        note(f"Deleted {url['host']}.")


def _settled(url: UrlData, json_wanted: bool) -> None:
    _print(url, json_wanted)
    if url["status"] == "failed":
        raise HomeportError(url["error"] or f"{url['host']} is not in force.", code="url_failed")


def _urls(client: Client, project: str | None, environment: str | None, limit: int) -> Page[UrlData]:
    if environment is not None and project is None:
        raise click.UsageError("Name the project of the environment too: --project.")
    if project is None:
        return client.all_urls(limit)
    if environment is not None:
        return client.urls(project, environment, limit)
    found = [url for url in client.all_urls()["items"] if url["project"] == project]
    return {"items": found[:limit], "next": None}


def _settings(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a URL out of options; what was not given is left out."""
    settings = {name: wanted[name] for name in ("primary", "redirect_to", "redirect_status")}
    if wanted["allow"] and wanted["allow_any"]:
        raise click.UsageError("Give --allow or --allow-any, not both.")
    if wanted["allow"] or wanted["allow_any"]:
        settings["allow"] = list(wanted["allow"])
    if wanted["password"] is not None:
        settings["password"] = ask_password(twice=True) if wanted["password"] else ""
    settings["user"] = wanted["user"]
    return {name: value for name, value in settings.items() if value is not None}


def _print(url: UrlData, json_wanted: bool) -> None:
    if json_wanted:
        as_json(url)
        return
    nginx, dns = url["nginx"], url["dns"]
    facts(
        [
            ("URL", url["host"]),
            ("Project", url["project"]),
            ("Environment", url["environment"]),
            ("Status", url["status"]),
            ("Primary", "yes, chosen" if url["primary"] else ""),
            ("Leads to", f"{url['redirect_to']} ({url['redirect_status']})" if url["redirect_to"] else ""),
            ("Let in from", ", ".join(url["allow"])),
            ("Password", f"yes, with the name {url['user']}" if url["password"] else ""),
            ("NGINX", " ".join(filter(None, [nginx["status"], nginx["detail"]]))),
            ("DNS", " ".join(filter(None, [dns["status"], dns["detail"]]))),
            ("Error", url["error"] or ""),
        ]
    )


def _row(url: UrlData) -> tuple[str, ...]:
    parts = url["nginx"]["status"], url["dns"]["status"]
    return url["host"], url["project"], url["environment"], url["status"], *parts
