"""Who else on this host has a host name, or a file where ours would be."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

from appliance.nginx import paths, standing
from appliance.nginx.config import Directive, read_all
from appliance.settings import Settings


def taken(settings: Settings, host: str, name: str | None = None) -> str | None:
    """Who has this host name already, in words; None when it is free. A file of ours may be for another name."""
    return _file_in_the_way(settings, host) or _name_in_the_way(settings, name or host)


def foreign(settings: Settings) -> Iterator[Directive]:
    """Every directive on this host that is not ours."""
    ours = {f"{settings.nginx_sites_enabled}/{paths.link_name(host)}" for host in standing.look(settings)}
    return read_all(settings.nginx_conf, lambda file: file in ours or paths.is_of_ours(settings, Path(file)))


def _file_in_the_way(settings: Settings, host: str) -> str | None:
    file = paths.file_of(settings, host)
    if os.path.lexists(file) and not paths.has_mark(file):
        return f"{file} is there already, and Homeport did not make it."
    for link in paths.links_of(settings, host):
        if os.path.lexists(link) and not paths.is_link_of(settings, link, host):
            return f"{link} is there already, and is not a link to {file}."
    return None


def _name_in_the_way(settings: Settings, host: str) -> str | None:
    for directive in foreign(settings):
        if directive.name == "server_name" and any(_same(name, host) for name in directive.args):
            return f"{directive.file} line {directive.line} has the server_name {host} already."
    return None


def _same(name: str, host: str) -> bool:
    """`.example.com` has example.com as well. Wildcards and patterns don't count: NGINX lets an exact name go first.

    Of wildcards, it has to be the very same: NGINX lets the longest go first.
    """
    if name == "$hostname":
        name = socket.gethostname()
    if host.startswith("*."):
        return name.lower().removeprefix("*").rstrip(".") == host.removeprefix("*")
    return name.lower().removeprefix(".").rstrip(".") == host
