"""`homeport login`, `logout` and `whoami`."""

import sys

import click

from appliance.cli import logins
from appliance.cli.host import ask_password
from appliance.cli.options import json_option, option, remote
from appliance.cli.show import as_json, note
from appliance.client import Client, ClientError, MeData, server_url
from appliance.errors import BadRequest

KEY = "hp_"  # how an API key begins; anything else is a session


@click.command()
@click.argument("url")
@option("--email", metavar="ADDRESS", help="Your e-mail address; asked for when left out.")
@option("--key", metavar="KEY", help="Store this API key and ask for nothing. `-` reads it from standard input.")
@json_option
def login(url: str, email: str | None, key: str | None, json_wanted: bool) -> None:
    """Sign in to a server and remember it.

    Asks for your e-mail address and password. Commands then speak to this server, until you log in to another.
    """
    server = server_url(url)
    logins.warn_of_plain_http(server)
    token = _key(key) if key else _session(server, email)
    with Client(server, token) as client:
        me = client.me()
    logins.keep(server, token)
    if json_wanted:
        as_json(me)
    else:
        note(f"Signed in to {server} as {_name(me)}.")


@click.command()
@remote
def logout(server: str | None, json_wanted: bool) -> None:
    """End the session at the server and forget it."""
    at, token = logins.stored(server)
    logins.forget(at)
    _end(at, token)
    if json_wanted:
        as_json({"server": at})
    elif token.startswith(KEY):
        note(f"Forgot the key for {at}. It works until it is revoked.")
    else:
        note(f"Signed out of {at}.")


@click.command()
@remote
def whoami(server: str | None, json_wanted: bool) -> None:
    """Say who you are signed in as, and where."""
    with logins.connect(server) as client:
        me = client.me()
    if json_wanted:
        as_json(me)
    else:
        click.echo(f"{_name(me)} at {client.server}")


def _session(server: str, email: str | None) -> str:
    if email is None and not sys.stdin.isatty():
        raise BadRequest(
            "Nobody is here to be asked for an e-mail address.", todo=("Name it with --email, or use --key -.",)
        )
    email = email or str(click.prompt("E-mail", err=True))
    with Client(server) as client:
        return client.login(email, ask_password(twice=False))["token"]


def _key(given: str) -> str:
    key = sys.stdin.readline().strip() if given == "-" else given.strip()
    if not key.isascii() or not key.isprintable() or " " in key or not key:
        raise BadRequest("That is not a key.", todo=("Copy it whole: it begins with hp_.",))
    return key


def _name(me: MeData) -> str:
    return me["name"]


def _end(server: str, token: str) -> None:
    """End a session at its server; one that has ended already is fine, and a key is not ended but revoked."""
    if token.startswith(KEY):
        return
    try:
        with Client(server, token) as client:
            client.logout()
    except ClientError as why:
        if why.status != 401:
            raise
