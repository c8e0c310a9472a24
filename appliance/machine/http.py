"""The only place that sends requests out."""

import http.client
from dataclasses import dataclass

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
