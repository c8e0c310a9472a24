"""The few things that Homeport asks of a name server. Importing this imports dnspython."""

import binascii
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
import dns.xfr
import dns.zone

from appliance.dns import marks
from appliance.dns.base import Config
from appliance.dns.plan import Plan
from appliance.dns.rfc2136.refusals import NotAllowed, check_rcode, words
from appliance.dns.rows import Row, Zone, suffixes
from appliance.dns.zones import Zones
from appliance.errors import RemoteFailed
from appliance.machine import nameservers
from appliance.machine.nameservers import PORT, Server

TIMEOUT = 10.0  # seconds
POINTING = ("A", "AAAA", "CNAME")
TXT_TTL = 60
Found = tuple[str, str, int]  # type, content, TTL
Names = dict[str, dict[str, list[tuple[str, int]]]]  # a whole zone: by name, by type, each content with its TTL


class Updates(Zones):
    """One name server and one key, for one call: an update goes through only if nothing changed since it looked."""

    def __init__(self, server: Server, key: dns.tsig.Key | None) -> None:
        self.server = server
        self._key = key
        self._seen: dict[str, list[Found]] = {}

    @classmethod
    def of(cls, config: Config) -> Self:
        given: dict[str, str] = vars(config)
        try:
            server = nameservers.server(given["rfc2136_server"])
        except ValueError as why:
            todo = ("Give the name server by its address, or see that this host can look its name up.",)
            raise RemoteFailed(f"The name server can't be asked: {why}.", permanent=False, todo=todo) from None
        return cls(server, _key(given))

    def find(self, host: str) -> Zone | None:
        """By the SOA record, going up. Where the server only points on to others, the zone is theirs."""
        for name in suffixes(host, least=1):
            answer = self.ask(name, "SOA")
            if any(rrset.rdtype == dns.rdatatype.SOA and _plain(rrset.name) == name for rrset in answer.answer):
                return Zone(name, name)
            if not answer.flags & dns.flags.AA and any(rrset.rdtype == dns.rdatatype.NS for rrset in answer.authority):
                return None
        return None

    def lacking(self, host: str) -> RemoteFailed:
        return RemoteFailed(
            f"{self.server} keeps no zone that {host} is in.",
            permanent=True,
            code="no_zone",
            todo=("Name the server that keeps the zone, or make the record by hand where it is kept.",),
        )

    def rows(self, zone: Zone, host: str) -> list[Row]:
        found = [(type, content, ttl) for type in POINTING for content, ttl in self._values(host, type)]
        if found and self._only_by_wildcard(zone, host):
            found = []
        self._seen[host] = found
        return marks.rows(host, found, [content for content, _ in self._values(marks.name(host), "TXT")])

    def apply(self, zone: Zone, plan: Plan) -> None:
        """All in one message: what was looked at, what goes and what comes."""
        update = self._update(zone)
        host = dns.name.from_text(plan.host)
        for type in POINTING:
            seen = [content for kind, content, _ in self._seen[plan.host] if kind == type]
            if seen:
                update.present(host, type, *(_value(type, content) for content in seen))
            else:
                update.absent(host, type)
        beside = dns.name.from_text(marks.name(plan.host))
        for row in plan.gone:
            if row.there:
                update.delete(host, row.type, _value(row.type, row.content))
            update.delete(beside, "TXT", _quoted(marks.text(row)))
        for row in plan.made:
            update.add(host, row.ttl, row.type, _value(row.type, row.content))
            update.add(beside, marks.TTL, "TXT", _quoted(marks.text(row)))
        self._send(update, zone, plan.host)
        self._see(zone, plan)

    def marked(self, mark: str, known: tuple[str, ...]) -> list[Row]:
        """All that a whole zone holds where it may be taken over, else what is known by name."""
        zones = {zone.name: zone for zone in map(self.find, known) if zone}
        found: list[Row] = []
        for zone in zones.values():
            whole = self._whole(zone)
            if whole is None:
                those = [host for host in known if zone.name in suffixes(host, least=1)]
                found += [row for host in those for row in self.rows(zone, host)]
            else:
                found += _marked_in(whole, mark)
        return [row for row in found if row.mark.startswith(mark)]

    def add_txt(self, zone: Zone, name: str, value: str, mark: str) -> None:
        update = self._update(zone)
        update.add(dns.name.from_text(name), TXT_TTL, "TXT", _quoted(value))
        self._send(update, zone, name)

    def drop_txt(self, zone: Zone, name: str, value: str, mark: str) -> None:
        update = self._update(zone)
        update.delete(dns.name.from_text(name), "TXT", _quoted(value))
        self._send(update, zone, name)

    def may_change(self, zone: Zone) -> None:
        """Raises where the key may not. Asks for a change on a condition that is never met, so that nothing changes."""
        name = dns.name.from_text(f"{marks.LABEL}-test.{zone.name}")
        update = self._update(zone)
        update.present(name, "TXT")
        update.add(name, TXT_TTL, "TXT", _quoted("test"))
        code = self._sent(update).rcode()
        if code not in (dns.rcode.NXRRSET, dns.rcode.NXDOMAIN):
            check_rcode(code, str(self.server), zone.name, zone.name)

    def name_servers(self, name: str) -> tuple[Server, ...]:
        """Those that the zone names, and the one that is written to. At a port of its own it stands for all of them."""
        zone = self.find(name)
        if zone is None or self.server.port != PORT:
            return (self.server,)
        names = [content for content, _ in self._values(zone.name, "NS")]
        found = {address for each in names for address in nameservers.addresses(each, str(self.server))}
        return (self.server, *(Server(one) for one in sorted(found - {self.server.address})))

    def ask(self, name: str, type: str) -> dns.message.Message:
        query = dns.message.make_query(name, type)
        query.flags &= ~dns.flags.RD
        if self._key:
            query.use_tsig(self._key)
        return self._sent(query)

    def _only_by_wildcard(self, zone: Zone, host: str) -> bool:
        """A wildcard answers for names that are not there themselves. Conditions of an update look past it."""
        above = [f"*.{name}" for name in suffixes(host, least=1)[1:] if name.endswith(zone.name)]
        if host.startswith("*.") or not any(self._values(name, type) for name in above for type in POINTING):
            return False
        update = self._update(zone)
        update.present(dns.name.from_text(host))
        return self._sent(update).rcode() == dns.rcode.NXDOMAIN

    def _values(self, name: str, type: str) -> list[tuple[str, int]]:
        kind = dns.rdatatype.from_text(type)
        rrsets = [one for one in self.ask(name, type).answer if one.rdtype == kind and _plain(one.name) == name.lower()]
        return [(nameservers.text(each), rrset.ttl) for rrset in rrsets for each in rrset]

    def _update(self, zone: Zone) -> dns.update.UpdateMessage:
        keyring = {self._key.name: self._key} if self._key else None
        return dns.update.UpdateMessage(zone.name, keyring=keyring, keyname=self._key.name if self._key else None)

    def _send(self, update: dns.update.UpdateMessage, zone: Zone, host: str) -> None:
        check_rcode(self._sent(update).rcode(), str(self.server), zone.name, host)

    def _sent(self, message: dns.message.Message) -> dns.message.Message:
        with words(str(self.server), _plain(self._key.name) if self._key else ""):
            return dns.query.tcp(message, self.server.address, port=self.server.port, timeout=TIMEOUT)

    def _see(self, zone: Zone, plan: Plan) -> None:
        """A name server leaves a CNAME out, without a word, where the name has other records."""
        there = {(row.type, row.content) for row in self.rows(zone, plan.host) if row.there}
        lost = next((row for row in plan.made if (row.type, row.content) not in there), None)
        if lost:
            raise RemoteFailed(
                f"{self.server} took the update, but {plan.host} has no {lost.type} record now: "
                "other records of that name, such as MX or TXT, stand in its way.",
                permanent=True,
                code="dns_in_the_way",
                todo=("Delete those, or let records point to an address.",),
            )

    def _whole(self, zone: Zone) -> Names | None:
        taken = dns.zone.Zone(zone.name, relativize=False)
        query, _ = dns.xfr.make_query(taken)
        if self._key:
            query.use_tsig(self._key)
        try:
            with words(str(self.server), ""):
                dns.query.inbound_xfr(self.server.address, taken, query, port=self.server.port, lifetime=TIMEOUT)
        except (RemoteFailed, NotAllowed):
            return None
        return _names(taken)


def _names(zone: dns.zone.Zone) -> Names:
    found: Names = {}
    for name, ttl, value in zone.iterate_rdatas():
        by_type = found.setdefault(_plain(name), {})
        by_type.setdefault(dns.rdatatype.to_text(value.rdtype), []).append((nameservers.text(value), ttl))
    return found


def _marked_in(names: Names, mark: str) -> list[Row]:
    texts = {name: [text for text, _ in types.get("TXT", ())] for name, types in names.items()}
    hosts = {host for name, those in texts.items() if name.startswith(marks.LABEL) for host in marks.hosts(those, mark)}
    found: list[Row] = []
    for host in hosts:
        there = [(type, content, ttl) for type in POINTING for content, ttl in names.get(host, {}).get(type, ())]
        found += marks.rows(host, there, texts.get(marks.name(host), ()))
    return found


def _key(given: dict[str, str]) -> dns.tsig.Key | None:
    name, secret = given["rfc2136_key_name"], given["rfc2136_key_secret"]
    if not name:
        return None
    try:
        binascii.a2b_base64(secret.encode(), strict_mode=True)
        return dns.tsig.Key(name, secret, given["rfc2136_algorithm"])
    except (binascii.Error, ValueError, dns.exception.DNSException):
        raise RemoteFailed(
            "The secret of the key is not Base64.",
            permanent=True,
            code="dns_key",
            todo=("Copy it from the name server again, without quotes.",),
        ) from None


def _value(type: str, content: str) -> str:
    return f"{content}." if type == "CNAME" else content


def _quoted(text: str) -> str:
    """As a TXT record is written down: strings of at most 255 bytes."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return " ".join(f'"{plain[at : at + 250]}"' for at in range(0, len(plain) or 1, 250))


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
