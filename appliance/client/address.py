"""Addresses: the server's own, and of what is asked for there."""

import ipaddress
import re
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from appliance.errors import BadRequest, NotFound


def server_url(text: str) -> str:
    """The one form of a server's address: scheme, host, and the port where it is not the scheme's own."""
    typed = text.strip()
    if "://" not in typed:
        typed = f"{'http' if is_loopback(f'http://{typed}') else 'https'}://{typed}"
    try:
        url = httpx.URL(typed.lower())
    except httpx.InvalidURL:
        url = httpx.URL("")
    odd = re.search(r"[\s\\<>\"'{}|^`%]", url.host) or (url.port or 0) > 65535
    if not url.host or odd or url.scheme not in ("http", "https"):
        raise BadRequest(f"{text!r} is not a server's address.", todo=("Give one such as https://deploy.example.net.",))
    if url.userinfo:
        raise BadRequest("A server's address holds no name or password.", todo=("Leave out what is before the @.",))
    return f"{url.scheme}://{url.netloc.decode()}"


def is_loopback(server: str) -> bool:
    """Whether an address is this very machine."""
    try:
        host = (urlsplit(server).hostname or "").lower()
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def path_of(*parts: str) -> str:
    """Steps of a path; a step that would lead elsewhere names nothing that can exist."""
    for part in parts:
        if part in ("", ".", ".."):
            raise NotFound(f"There is nothing called {part!r}.")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def place_of(project: str, environment: str, *rest: str) -> str:
    return path_of("projects", project, "environments", environment, *rest)


def given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
