"""Requests to addresses that somebody typed: never to this host, and inside the network only where that is allowed.

A name is looked up once, everything it leads to is looked at, and the connection goes to that very address.
"""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin

from appliance.errors import RemoteFailed
from appliance.machine.http import Answer, exchange
from appliance.model.targets import Target

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TIMEOUT = 10.0  # seconds for all of one request
MOST = 16 << 10  # bytes of an answer that are read
MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 307, 308)
OWN = frozenset({"authorization"})  # headers for nobody but the one that they were meant for
METADATA = tuple(
    ipaddress.ip_network(one)
    for one in ("169.254.0.0/16", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254")
)
NOWHERE = tuple(ipaddress.ip_network(one) for one in ("0.0.0.0/8", "240.0.0.0/4"))
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
DISGUISES = tuple(
    ipaddress.IPv6Network(one) for one in ("::/96", "::ffff:0:0/96", "2002::/16", "2001::/32", "64:ff9b:1::/48")
)


class _Refused(RemoteFailed):
    code = "outgoing_refused"
    title = "Nothing was sent there"


class _Unreached(RemoteFailed):
    code = "unreached"


@dataclass(frozen=True)
class Allowed:
    """Networks and names inside that may be reached all the same."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str) -> Self:
        networks: list[Network] = []
        names: set[str] = set()
        for word in text.split():
            try:
                networks.append(ipaddress.ip_network(word, strict=False))
            except ValueError:
                names.add(word)
        return cls(tuple(networks), frozenset(names))

    def has(self, host: str, address: Address) -> bool:
        return host in self.names or any(address in one for one in self.networks)


def send(url: str, headers: Mapping[str, str], body: bytes, allowed: Allowed, *, timeout: float = TIMEOUT) -> Answer:
    """A POST. Each redirect is looked at like the first address, and gets the same body; a few are followed."""
    given = dict(headers)
    target = _target(url)
    for _ in range(MOST_REDIRECTS + 1):
        with _connected(target, allowed, timeout) as connection:
            answer = exchange(connection, "POST", target.path, {"Host": target.netloc, **given}, body, most=MOST)
        if answer.status not in REDIRECTS or not answer.headers.get("location"):
            return answer
        following = _target(urljoin(target.url, answer.headers["location"]), target.host)
        if target.scheme == "https" and following.scheme != "https":
            raise _Refused(f"{target.host} redirects to an address without TLS.", permanent=True)
        if following.origin != target.origin:
            given = {name: value for name, value in given.items() if name.lower() not in OWN}
        target = following
    raise _Refused(f"{target.host} redirects more than {MOST_REDIRECTS} times.", permanent=True)


def refusal(host: str, address: Address, allowed: Allowed) -> str:
    """Why nothing goes to an address; empty where it may."""
    if isinstance(address, ipaddress.IPv6Address) and address in TRANSLATED:
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    said = _never(address)
    if said:
        return said
    inside = not address.is_global
    return "is inside a network, which is not allowed here" if inside and not allowed.has(host, address) else ""


def _never(address: Address) -> str:
    if isinstance(address, ipaddress.IPv6Address) and any(address in one for one in DISGUISES):
        return "is this host" if address.is_loopback else "hides another address"
    if any(address in one for one in METADATA) or address.is_link_local:
        return "is of this link alone, or tells of the machine"
    if address.is_loopback or _is_own(address):
        return "is this host"
    if address.is_multicast or address.is_unspecified or any(address in one for one in NOWHERE):
        return "is nobody's"
    return ""


def _is_own(address: Address) -> bool:
    """What is sent to an address of this host comes from that very address."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.connect((str(address), 9))
            return ipaddress.ip_address(trial.getsockname()[0]) == address
    except OSError:
        return False


def _target(url: str, told_by: str = "") -> Target:
    try:
        return Target.parse(url)
    except ValueError:
        what = f"{told_by} redirects to" if told_by else "This is"
        raise _Refused(f"{what} an address that nothing is sent to.", permanent=True) from None


@contextmanager
def _connected(target: Target, allowed: Allowed, timeout: float) -> Iterator[socket.socket]:
    """To an address that was looked at; whatever happens on it ends in time, however slowly bytes come."""
    addresses, late = _looked_up(target, allowed), threading.Event()
    try:
        bare = _reached(addresses, target.port, timeout)
        connection = bare if target.scheme == "http" else _tls(bare, target.host)
        ends = threading.Timer(timeout, _cut, [connection, late])
        ends.daemon = True
        ends.start()
        try:
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            yield connection
        finally:
            ends.cancel()
            connection.close()
    except ssl.SSLCertVerificationError as why:
        raise _Unreached(
            f"The certificate of {target.host} is not one that this host trusts.",
            permanent=False,
            said=why.verify_message,
        ) from None
    except (OSError, ValueError) as why:
        slow = late.is_set() or isinstance(why, TimeoutError)
        said = "it took too long" if slow else getattr(why, "strerror", None) or str(why)
        raise _Unreached(f"{target.host} can't be reached: {said}.", permanent=False) from None


def _looked_up(target: Target, allowed: Allowed) -> list[Address]:
    """All that a name leads to; one wrong one is enough to go nowhere."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    except (OSError, ValueError):
        raise _Unreached(
            f"{target.host} is not known in DNS, or can't be looked up now.",
            permanent=False,
            todo=("Check the address.",),
        ) from None
    for address in addresses:
        if said := refusal(target.host, address, allowed):
            shown = target.host if str(address) == target.host else f"{target.host} leads to {address}, which"
            raise _Refused(f"{shown} {said}, so nothing was sent.", permanent=True, todo=_todo(address))
    return list(dict.fromkeys(addresses))


def _todo(address: Address) -> tuple[str, ...]:
    if _never(address):
        return ("Enter an address elsewhere.",)
    return (f"Where it is meant: `HOMEPORT_OUTGOING_ALLOW={address}` on the host.",)


def _reached(addresses: list[Address], port: int, timeout: float) -> socket.socket:
    last: OSError = OSError("it has no address")
    for address in addresses[:3]:
        try:
            return socket.create_connection((str(address), port), timeout=timeout)
        except OSError as why:
            last = why
    raise last


def _tls(bare: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    return context.wrap_socket(bare, server_hostname=host, do_handshake_on_connect=False)


def _cut(connection: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
