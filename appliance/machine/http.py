"""The only place that sends requests out."""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance.errors import RemoteFailed
from appliance.machine import stopping


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes


class _Unreached(RemoteFailed):
    code = "unreached"


def look(
    address: tuple[str, int],
    host: str,
    path: str = "/",
    *,
    method: str = "GET",
    timeout: float = 5,
    most: int = 8 << 20,
    secure: bool = False,
) -> Answer:
    """Ask one server at one address for a path under a host name; follows nothing.

    By TLS where it has to be: with whatever certificate it shows, since it is on this host.
    """
    stopping.check()
    kind = _Named if secure else http.client.HTTPConnection
    connection = kind(address[0], address[1], timeout=timeout)
    try:
        if isinstance(connection, _Named):
            connection.name = host
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        connection.putheader("User-Agent", "homeport-probe")
        connection.putheader("Connection", "close")
        connection.endheaders()
        response = connection.getresponse()
        body = response.read(most)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
    except (TimeoutError, OSError, http.client.HTTPException) as why:
        raise _Unreached(
            f"Nothing answered for {host} at {address[0]} port {address[1]}: {str(why) or type(why).__name__}.",
            permanent=False,
        ) from why
    finally:
        connection.close()


class _Named(http.client.HTTPConnection):
    """By TLS, asking for the certificate of a name, wherever it is connected to."""

    name = ""

    def connect(self) -> None:
        super().connect()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=self.name)


def certificate_shown(address: tuple[str, int], host: str, *, timeout: float = 5) -> bytes | None:
    """The certificate (DER) that a server at one address shows for a host name; None where it shows none."""
    connection = _Named(address[0], address[1], timeout=timeout)
    connection.name = host
    try:
        connection.connect()
        shown = connection.sock
        return shown.getpeercert(binary_form=True) if isinstance(shown, ssl.SSLSocket) else None
    except OSError:
        return None
    finally:
        connection.close()


Response = http.client.HTTPResponse


@contextmanager
def asked(
    method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, timeout: float = 60
) -> Iterator[Response]:
    """One request to a service elsewhere, its answer still to be read; follows nothing."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Content-Length": str(len(body)), **headers, "Connection": "close"}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        yield connection.getresponse()
    except (TimeoutError, OSError, http.client.HTTPException) as why:
        raise _Unreached(
            f"{parts.netloc} can't be reached: {str(why) or type(why).__name__}.",
            permanent=False,
            todo=("Check the address, and that this host may reach it.",),
        ) from why
    finally:
        connection.close()


def exchange(
    connection: socket.socket, method: str, path: str, headers: Mapping[str, str], body: bytes, *, most: int
) -> Answer:
    """One request over a connection that is open, and the beginning of its answer. A status is an answer."""
    asking = http.client.HTTPConnection("")
    asking.sock = connection
    try:
        asking.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {**headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
            asking.putheader(name, value)
        asking.endheaders(body)
        response = asking.getresponse()
    except http.client.HTTPException as why:
        raise OSError(f"what it answers is not HTTP ({type(why).__name__})") from why
    try:
        said = response.read(most)
    except (OSError, http.client.HTTPException):
        said = b""
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, said)
