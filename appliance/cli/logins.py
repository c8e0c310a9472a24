"""Which server is spoken to and as whom: what `login` stored, or HOMEPORT_SERVER and HOMEPORT_KEY."""

import ipaddress
import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from appliance.cli.show import note
from appliance.client import Client, is_loopback, server_url
from appliance.errors import HostFailed, NotSignedIn
from appliance.machine.files import write_whole


def connect(server: str | None) -> Client:
    """A client for the server that is named, or else for the one of the last login."""
    known = read()
    key = os.environ.get("HOMEPORT_KEY", "").strip()
    if server:
        address = server_url(server)
        warn_of_plain_http(address)
    elif key:
        raise NotSignedIn("HOMEPORT_KEY is set, but no server.", todo=("Set HOMEPORT_SERVER too.",))
    elif known:
        address = next(reversed(known))
    else:
        todo = "Run `homeport login URL`, or set HOMEPORT_SERVER and HOMEPORT_KEY."
        raise NotSignedIn("You are not signed in anywhere.", todo=(todo,))
    if not key and address not in known:
        todo = f"Run `homeport login {address}`, or set HOMEPORT_KEY."
        raise NotSignedIn(f"You are not signed in at {address}.", todo=(todo,))
    return Client(address, key or known[address])


def stored(server: str | None) -> tuple[str, str]:
    """The login that is kept for a server, or else the last one."""
    found = read()
    at = server_url(server) if server else next(reversed(found), "")
    if at not in found:
        raise NotSignedIn(f"No login is stored{f' for {at}' if at else ''}.", todo=("Run `homeport login URL`.",))
    return at, found[at]


def login_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(base) / "homeport" / "login.json"


def read() -> dict[str, str]:
    """What is stored: server to token, the latest login last."""
    path = login_file()
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as why:
        raise HostFailed(f"{path} can't be read: {why}.", todo=("Remove it and run `homeport login` again.",)) from why
    if not isinstance(found, dict) or not all(isinstance(token, str) for token in found.values()):
        raise HostFailed(f"{path} is not what it should be.", todo=("Remove it and run `homeport login` again.",))
    return found


def keep(server: str, token: str) -> None:
    _write({**forgotten(server), server: token})


def forget(server: str) -> None:
    _write(forgotten(server))


def forgotten(server: str) -> dict[str, str]:
    return {at: token for at, token in read().items() if at != server}


def warn_of_plain_http(server: str) -> None:
    """Over plain HTTP anyone on the way can read the key: fine at home, not across the world."""
    if server.startswith("http:") and not is_loopback(server) and _is_public(urlsplit(server).hostname or ""):
        note(f"Warning: {server} is not encrypted: anyone on the way can read your key. Use https:// where you can.")


def _is_public(host: str) -> bool:
    try:
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False  # it can't be reached either, and that will be said
    return any(ipaddress.ip_address(address).is_global for address in found)


def _write(logins: dict[str, str]) -> None:
    path = login_file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.dumps(logins, indent=2) + "\n", mode=0o600)
    except OSError as why:
        todo = "Let XDG_CONFIG_HOME name a folder that you may write, or set HOMEPORT_SERVER and HOMEPORT_KEY."
        raise HostFailed(f"The login can't be stored in {path}: {why.strerror}.", todo=(todo,)) from why
