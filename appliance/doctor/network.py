"""Ports and names: who answers where, and whether the appliance's own name leads anywhere."""

import errno
import json
import os
import socket
from contextlib import closing
from http import HTTPStatus
from urllib.parse import urlsplit

from appliance.errors import RemoteFailed
from appliance.machine import http
from appliance.model.checks import Check
from appliance.settings import Settings

ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104
QUICK = 1.0


def appliance_port(settings: Settings) -> list[Check]:
    """Ours, free, or in someone's way."""
    host, port = settings.host, settings.port
    if port == 0:
        return [Check("port.appliance", "off", "The system chooses the appliance's port at each start.")]
    try:
        answer = http.look((reachable(host), port), f"localhost:{port}", "/healthz", timeout=QUICK, most=4096)
    except RemoteFailed:
        return [_free(host, port)]
    if _is_homeport(answer):
        return [Check("port.appliance", "ok", f"Homeport answers on {host} port {port}.")]
    mend = "Stop it, or choose another port with --port."
    return [Check("port.appliance", "failed", f"Something else answers on {host} port {port}{_by(answer)}.", mend)]


def _is_homeport(answer: http.Answer) -> bool:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return False
    return answer.status == HTTPStatus.OK and isinstance(said, dict) and said.keys() == {"status", "version"}


def _free(host: str, port: int) -> Check:
    where = f"{host} port {port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as why:
        mend = "Choose an address of this host with --host."
        return Check("port.appliance", "failed", f"{host} is no address that can be listened on: {why.strerror}.", mend)
    with closing(socket.socket(family, kind, protocol)) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as why:
            text = f"{where} can't be listened on: {os.strerror(why.errno or 0)}."
            return Check("port.appliance", "failed", text, _mend(why))
    return Check("port.appliance", "ok", f"{where} is free.")


def _mend(why: OSError) -> str:
    if why.errno == errno.EADDRINUSE:
        return "Something holds it without answering: find it with `ss -ltnp`, or choose another port with --port."
    if why.errno == errno.EADDRNOTAVAIL:
        return "Choose an address of this host with --host."
    return "Choose a port over 1023 with --port, and let NGINX stand in front."


def web_ports(settings: Settings) -> list[Check]:
    """Who answers where visitors come in."""
    wanted = listens(settings.nginx_listen)
    found = [_web_port(address, port, needed=settings.backend != "builtin") for address, port in wanted]
    if all(port != 443 for _, port in wanted):
        found.append(_web_port("127.0.0.1", 443, needed=False))
    return found


def listens(text: str) -> list[tuple[str, int]]:
    """Where to knock for each of NGINX's listen values: `80`, `192.0.2.1:80`, `[::]:8080`."""
    found = []
    for value in text.split():
        address, _, port = value.rpartition(":")
        found.append((reachable(address), int(port)))
    return found


def reachable(host: str) -> str:
    return ANYWHERE.get(host, host.strip("[]"))


def _web_port(address: str, port: int, *, needed: bool) -> Check:
    name = f"port.{port}"
    try:
        answer = http.look((address, port), "localhost", timeout=QUICK, most=4096)
    except RemoteFailed:
        if _open(address, port):
            return Check(name, "ok", f"Something that speaks no plain HTTP answers on port {port}.")
        mend = "Start NGINX: `systemctl start nginx`." if needed else ""
        return Check(name, "warn" if needed else "off", f"Nothing answers on port {port}.", mend)
    if needed and "nginx" not in answer.headers.get("server", "").lower():
        mend = "URLs with the backend nginx need NGINX there: stop the other, or set HOMEPORT_NGINX_LISTEN."
        return Check(name, "warn", f"Port {port} is answered{_by(answer) or ' by something without a name'}.", mend)
    return Check(name, "ok", f"Port {port} is answered{_by(answer)}.")


def _open(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=QUICK).close()
    except OSError:
        return False
    return True


def _by(answer: http.Answer) -> str:
    server = "".join(letter for letter in answer.headers.get("server", "")[:60] if letter.isprintable())
    return f" by {server}" if server else ""


def own_url(settings: Settings) -> list[Check]:
    """Whether the name that people type leads anywhere."""
    host = urlsplit(settings.url).hostname
    if not host:
        mend = "Set it in Settings or with --url, so that links and set-up use a name that people can reach."
        return [Check("url", "off", "The appliance has no address of its own set.", mend)]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as why:
        mend = f"Make a DNS record for {host} that points to this host."
        return [Check("url", "failed", f"{host} can't be looked up: {getattr(why, 'strerror', None) or why}.", mend)]
    addresses = sorted({str(entry[4][0]) for entry in found})
    away = "" if any(_ours(address) for address in addresses) else ", which is not an address of this host itself"
    return [Check("url", "ok", f"{host} leads to {', '.join(addresses)}{away}.")]


def _ours(address: str) -> bool:
    """An address can be bound here if it is one of this host."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as trial:
        try:
            trial.bind((address, 0))
        except OSError:
            return False
    return True
