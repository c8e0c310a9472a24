"""The only place that sends requests out."""

import http.client
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
) -> Answer:
    """Ask one server at one address for a path under a host name; follows nothing."""
    stopping.check()
    connection = http.client.HTTPConnection(address[0], address[1], timeout=timeout)
    try:
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
