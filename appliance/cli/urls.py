"""`homeport urls`: host names that point at environments."""

import click

from appliance.cli.ask import ask_first
from appliance.cli.lists import listed
from appliance.cli.logins import connect
from appliance.cli.options import (
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
from appliance.errors import HomeportError, NotFound

PATIENCE = 60  # seconds to wait for a URL to be in force


@click.group()
def urls() -> None:
    """List, create, show, check and delete the URLs of environments."""


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


@urls.command()
@click.argument("host")
@project_option
@environment_option
@option("--proxied/--not-proxied", default=None, help="Whether Cloudflare's proxy stands in front.")
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
) -> None:
    """Point a host name at an environment, and wait until it is in force."""
    with connect(server) as client:
        made = client.create_url(project, environment, host, proxied=proxied, wait=None if no_wait else PATIENCE)
    _settled(made, json_wanted)


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
        _print(_find(client, host), json_wanted)


@urls.command()
@click.argument("host")
@yes_option
@remote
def delete(host: str, yes: bool, json_wanted: bool, server: str | None) -> None:
    """Take a host name away from its environment, with its NGINX file and DNS record."""
    with connect(server) as client:
        url = _find(client, host)
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


def _find(client: Client, host: str) -> UrlData:
    wanted = host.strip().lower().rstrip(".")
    for url in client.all_urls()["items"]:
        if url["host"] == wanted:
            return url
    raise NotFound(f"There is no URL {host}.", todo=("List them with `homeport urls list`.",))


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
            ("NGINX", " ".join(filter(None, [nginx["status"], nginx["detail"]]))),
            ("DNS", " ".join(filter(None, [dns["status"], dns["detail"]]))),
            ("Error", url["error"] or ""),
        ]
    )


def _row(url: UrlData) -> tuple[str, ...]:
    parts = url["nginx"]["status"], url["dns"]["status"]
    return url["host"], url["project"], url["environment"], url["status"], *parts
