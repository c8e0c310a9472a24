"""Name servers asked themselves, past every cache. Importing this imports a resolver."""

import ipaddress
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import dns.resolver

TIMEOUT = 5.0  # seconds
PORT = 53


@dataclass(frozen=True)
class Server:
    address: str
    port: int = PORT

    def __str__(self) -> str:
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return shown if self.port == PORT else f"{shown}:{self.port}"


def of_zone(name: str, through: str = "") -> tuple[Server, ...]:
    """Those that answer for the zone of a name. One that is named as `through` is taken at its word for everything."""
    if through:
        return (server(through),)
    resolver = _resolver()
    try:
        zone = dns.resolver.zone_for_name(name.removeprefix("*."), resolver=resolver)
        names = [each.target for each in resolver.resolve(zone, "NS")]
    except dns.exception.DNSException:
        return ()
    return tuple(Server(address) for each in names for address in _addresses(resolver, str(each)))


def serve(servers: tuple[Server, ...], name: str, type: str, value: str) -> bool:
    """Whether each of them that answers gives this value. Where none can be reached, whoever this host asks counts."""
    given = [found for found in (ask(one, name, type) for one in servers) if found is not None]
    return all(value in found for found in given) if given else value in _looked_up(name, type)


def ask(server: Server, name: str, type: str) -> set[str] | None:
    """The values that one server gives; None where it doesn't answer."""
    try:
        query = dns.message.make_query(name, type)
        answer, _ = dns.query.udp_with_fallback(query, server.address, port=server.port, timeout=TIMEOUT)
    except (dns.exception.DNSException, OSError):
        return None
    kind = dns.rdatatype.from_text(type)
    return {text(each) for rrset in answer.answer if rrset.rdtype == kind for each in rrset}


def addresses(name: str, through: str = "") -> set[str]:
    """Where a name leads in the end, by whoever this host asks."""
    if through:
        found = (ask(server(through), name, type) or set[str]() for type in ("A", "AAAA"))
        return {address for those in found for address in those}
    return set(_addresses(_resolver(), name))


def server(text: str) -> Server:
    """An address or a name, with or without a port; ValueError where it is neither."""
    host, port = _split(text.strip())
    try:
        return Server(str(ipaddress.ip_address(host)), port)
    except ValueError:
        pass
    found = sorted(_addresses(_resolver(), host), key=lambda one: ":" in one)
    if not found:
        raise ValueError(f"{host} can't be found")
    return Server(found[0], port)


def text(value: object) -> str:
    """A value as people write it: a TXT record without quotes, a name without its last dot."""
    strings = getattr(value, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    target = getattr(value, "target", None)
    return str(target).rstrip(".").lower() if target is not None else str(value)


def _split(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    return host, int(port) if port else PORT


def _resolver() -> dns.resolver.Resolver:
    try:
        resolver = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        resolver = dns.resolver.Resolver(configure=False)
    resolver.lifetime = TIMEOUT
    return resolver


def _looked_up(name: str, type: str) -> set[str]:
    try:
        return {text(each) for each in _resolver().resolve(name, type)}
    except (dns.exception.DNSException, OSError):
        return set()


def _addresses(resolver: dns.resolver.Resolver, name: str) -> list[str]:
    found: list[str] = []
    for type in ("A", "AAAA"):
        try:
            found += [each.address for each in resolver.resolve(name, type)]
        except (dns.exception.DNSException, OSError):
            continue
    return found
