"""`homeport login`, `logout` and `whoami`."""

import getpass
import os
import socket
import sys
import webbrowser
from urllib.parse import quote

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
@option("--with-password", "--password", "with_password", is_flag=True, help="Ask for your password, not a browser.")
@option("--email", metavar="ADDRESS", help="Your e-mail address; asked for when left out.")
@option("--key", metavar="KEY", help="Store this API key and ask for nothing. `-` reads it from standard input.")
@json_option
def login(url: str, *, with_password: bool, email: str | None, key: str | None, json_wanted: bool) -> None:
    """Sign in to a server and remember it.

    On a terminal, shows a code to say yes to in a browser, and gets a key of its own: no password is typed. Elsewhere,
    asks for e-mail address and password. Commands then speak to this server, until you log in to another.
    """
    server = server_url(url)
    logins.warn_of_plain_http(server)
    token = _key(key) if key else _came_in(server, email, with_password=with_password)
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
    """End the session at the server and forget it. A key that `login` got in the browser is revoked."""
    at, token = logins.stored(server)
    logins.forget(at)
    ended = _end(at, token)
    if json_wanted:
        as_json({"server": at})
    elif not ended:
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


def _came_in(server: str, email: str | None, *, with_password: bool) -> str:
    """By the browser where somebody is there to open one."""
    if with_password or email or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return _session(server, email)
    with Client(server) as client:
        try:
            begun = client.begin_login(socket.gethostname(), getpass.getuser())
        except ClientError as why:
            if why.status not in (401, 404, 405):  # a server from before there was this
                raise
            return _session(server, email)
        address = f"{server}/device?code={quote(begun['user_code'])}"
        note(f"Open {address}")
        note("and say yes if the page shows this code:")
        for line in ("", f"    {begun['user_code']}", ""):
            note(line)
        _open(address)
        note("Waiting for your answer in the browser. Ctrl-C stops.")
        return client.await_key(begun).get("key", "")


def _open(address: str) -> None:
    """Only where there is a screen: a browser in the terminal would cover the code."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)


def _session(server: str, email: str | None) -> str:
    if email is None and not sys.stdin.isatty():
        raise BadRequest(
            "Nobody is here to be asked for an e-mail address.", todo=("Name it with --email, or use --key -.",)
        )
    email = email or str(click.prompt("E-mail", err=True))
    with Client(server) as client:
        try:
            return client.login(email, ask_password(twice=False))["token"]
        except ClientError as why:
            if why.code != "second_factor":
                raise
            return client.login_second(why.ticket, _code())["token"]


def _code() -> str:
    """Where nobody can be asked, the second line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Code from your app, or a recovery code", err=True))
    return sys.stdin.readline().strip()


def _key(given: str) -> str:
    key = sys.stdin.readline().strip() if given == "-" else given.strip()
    if not key.isascii() or not key.isprintable() or " " in key or not key:
        raise BadRequest("That is not a key.", todo=("Copy it whole: it begins with hp_.",))
    return key


def _name(me: MeData) -> str:
    return me["name"]


def _end(server: str, token: str) -> bool:
    """End a session at its server, or the key of a login. One that has ended already is fine; other keys go on."""
    try:
        with Client(server, token) as client:
            client.logout()
    except ClientError as why:
        if why.status == 401:
            return not token.startswith(KEY)
        if token.startswith(KEY) and why.code == "no_session":
            return False
        raise
    return True
