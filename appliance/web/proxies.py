"""What a proxy says of its visitor, believed only where the proxy was named."""

import ipaddress
import re
from functools import lru_cache

from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


def believe(scope: Scope, proxies: str) -> None:
    """From here on the request comes from whoever asked the proxy, by the scheme and the name that they used."""
    came_from = scope["client"][0] if scope.get("client") else ""
    if not proxies and ":" not in came_from:
        return
    peer = _address(came_from)
    if peer is None:
        return
    trusted = _networks(proxies)
    if _trusts(trusted, peer):
        said = _said(scope)
        peer = _asker(peer, said.get(b"x-forwarded-for", ""), trusted)
        if said.get(b"x-forwarded-proto") in ("http", "https"):
            scope["scheme"] = said[b"x-forwarded-proto"]
        if HOST.fullmatch(host := said.get(b"x-forwarded-host", "")):
            others = [one for one in scope["headers"] if one[0] != b"host"]
            scope["headers"] = [(b"host", host.encode()), *others]
    scope["client"] = str(peer), scope["client"][1]


def _said(scope: Scope) -> dict[bytes, str]:
    """What was forwarded. The last word of a list is that of the nearest proxy."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":  # several lines are one list
            found[name] = f"{found[name]},{value.decode('latin-1')}" if name in found else value.decode("latin-1")
        elif name in (b"x-forwarded-proto", b"x-forwarded-host"):
            found[name] = value.decode("latin-1").rpartition(",")[2].strip()
    return found


def _asker(peer: Address, forwarded: str, trusted: tuple[Network, ...]) -> Address:
    """From the right, the first one that is no proxy of ours: what is left of it anybody could have written."""
    asker = peer
    for text in reversed(forwarded.split(",")):
        found = _address(text.strip())
        if found is None:
            break
        asker = found
        if not _trusts(trusted, found):
            break
    return asker


def _trusts(trusted: tuple[Network, ...], address: Address) -> bool:
    return any(address in network for network in trusted)


@lru_cache(4096)
def _address(text: str) -> Address | None:
    """Some proxies add a port."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(16)
def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(one, strict=False) for one in text.replace(",", " ").split())
