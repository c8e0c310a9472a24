"""Route 53 over a real socket: signatures checked, changes all or nothing, and refused as the real one refuses them."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.s3 import KEY_ID, SECRET, Refused, check_signature

BASE = "/2013-04-01"
EVERYTHING = frozenset(
    {"ListHostedZonesByName", "ListHostedZones", "ListResourceRecordSets", "ChangeResourceRecordSets"}
)


@dataclass(frozen=True)
class Key:
    zone: str
    name: str
    type: str


@dataclass(frozen=True)
class Held:
    ttl: int
    values: frozenset[str]


class FakeRoute53:
    """`zones` by id, and the sets in them. `requests` is what came in."""

    def __init__(self) -> None:
        self.zones = {"Z1EXAMPLE": "example.com", "Z2EXAMPLE": "eu.example.com"}
        self.sets: dict[Key, Held] = {}
        self.allowed = set(EVERYTHING)
        self.failures: list[tuple[int, str]] = []  # what the next requests get, whatever they ask for
        self.requests: list[str] = []
        self.meanwhile: list[Callable[[], object]] = []  # each runs once, just before a change
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        fake = self

        class Bound(_Handler):
            @property
            def route53(self) -> FakeRoute53:
                return fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def settings(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {"dns_provider": "route53", "route53_key_id": KEY_ID, "route53_secret": SECRET, "route53_api": url}

    def by_hand(self, name: str, type: str, content: str, ttl: int = 300) -> None:
        key = self._key(name, type)
        held = self.sets.get(key, Held(ttl, frozenset()))
        self.sets[key] = Held(held.ttl, held.values | {content})

    def drop(self, name: str, type: str) -> None:
        self.sets.pop(self._key(name, type), None)

    def values(self, name: str, type: str) -> set[str]:
        found = self.sets.get(self._key(name, type))
        plain = (value.strip('"') if type == "TXT" else value.rstrip(".") for value in (found.values if found else ()))
        return set(plain)

    def _key(self, name: str, type: str) -> Key:
        holds = [(zone, id) for id, zone in self.zones.items() if name == zone or name.endswith(f".{zone}")]
        return Key(max(holds, key=lambda one: len(one[0]))[1], name, type)

    def act(self, method: str, path: str, query: dict[str, str], body: str) -> str:
        with self._lock:
            match method, path.removeprefix(f"{BASE}/").split("/"):
                case "GET", ["hostedzonesbyname"]:
                    return self._by_name(query["dnsname"])
                case "GET", ["hostedzone"]:
                    self._may("ListHostedZones")
                    return _zones(list(self.zones.items()))
                case "GET", ["hostedzone", zone, "rrset"]:
                    return self._listed(zone, query)
                case "POST", ["hostedzone", zone, "rrset"]:
                    return self._changed(zone, body)
        raise Refused(404, "UnknownOperationException", "no such operation")

    def _by_name(self, name: str) -> str:
        """From this name on, in the order of names."""
        self._may("ListHostedZonesByName")
        order = sorted(self.zones.items(), key=lambda one: _ordered(one[1]))
        return _zones([one for one in order if _ordered(one[1]) >= _ordered(name.rstrip("."))])

    def _listed(self, zone: str, query: dict[str, str]) -> str:
        self._may("ListResourceRecordSets")
        self._known(zone)
        here = sorted((key for key in self.sets if key.zone == zone), key=lambda key: (_ordered(key.name), key.type))
        start = (_ordered(query.get("name", "").rstrip(".")), query.get("type", ""))
        here = [key for key in here if not query.get("name") or (_ordered(key.name), key.type) >= start]
        most = int(query.get("maxitems", "300"))
        more = ""
        if len(here) > most:
            more = (
                f"<NextRecordName>{here[most].name}.</NextRecordName><NextRecordType>{here[most].type}</NextRecordType>"
            )
        inner = "".join(_shown(key, self.sets[key]) for key in here[:most])
        truncated = str(bool(more)).lower()
        return f"<R><ResourceRecordSets>{inner}</ResourceRecordSets><IsTruncated>{truncated}</IsTruncated>{more}</R>"

    def _changed(self, zone: str, body: str) -> str:
        self._may("ChangeResourceRecordSets")
        self._known(zone)
        while self.meanwhile:
            self.meanwhile.pop()()
        after = dict(self.sets)
        for change in re.findall(r"<Change>(.*?)</Change>", body, re.DOTALL):
            _carry_out(after, zone, change, self.zones[zone])
        self.sets = after
        return "<R><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo></R>"

    def _known(self, zone: str) -> None:
        if zone not in self.zones:
            raise Refused(404, "NoSuchHostedZone", f"No hosted zone found with ID: {zone}")

    def _may(self, action: str) -> None:
        if action not in self.allowed:
            text = f"User: arn:aws:iam::1:user/homeport is not authorized to perform: route53:{action}"
            raise Refused(403, "AccessDenied", text)


def _carry_out(after: dict[Key, Held], zone: str, change: str, zone_name: str) -> None:
    name = unescape(_tag(change, "Name")).rstrip(".").lower()
    key = Key(zone, name, _tag(change, "Type"))
    values = frozenset(unescape(value) for value in re.findall(r"<Value>([^<]*)</Value>", change))
    wanted, action = Held(int(_tag(change, "TTL")), values), _tag(change, "Action")
    if name != zone_name and not name.endswith(f".{zone_name}"):
        raise _invalid(f"RRSet with DNS name {name}. is not permitted in zone {zone_name}.")
    if any(
        len(text) > 255 for value in values if key.type == "TXT" for text in re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    ):
        raise _invalid("InvalidCharacterString: Value is too long")
    if action == "DELETE":
        if key not in after:
            raise _invalid(
                f"Tried to delete resource record set [name='{name}.', type='{key.type}'] but it was not found"
            )
        if after[key] != wanted:
            raise _invalid(f"Tried to delete [name='{name}.'] but the values provided do not match the current values")
        del after[key]
    elif action in ("CREATE", "UPSERT"):
        if action == "CREATE" and key in after:
            raise _invalid(f"Tried to create resource record set [name='{name}.'] but it already exists")
        beside = {one.type for one in after if (one.zone, one.name) == (zone, name)} - {key.type}
        if beside and "CNAME" in (key.type, *beside):
            raise _invalid(f"RRSet of type {key.type} with DNS name {name}. conflicts with other records")
        after[key] = wanted
    else:
        raise Refused(400, "InvalidInput", f"no such action: {action}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def route53(self) -> FakeRoute53:
        raise NotImplementedError

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        parts = urlsplit(self.path)
        self.route53.requests.append(f"{self.command} {self.path}")
        try:
            if self.route53.failures:
                status, code = self.route53.failures.pop(0)
                raise Refused(status, code, "Rate exceeded")
            headers = dict(self.headers.items())
            check_signature(self.command, self.path, headers, body, service="route53", in_region="us-east-1")
            status, text = 200, self.route53.act(self.command, parts.path, dict(parse_qsl(parts.query)), body.decode())
        except Refused as why:
            status, text = why.status, _error(why)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        pass


def _error(why: Refused) -> str:
    if why.code == "InvalidChangeBatch":
        messages = f"<Messages><Message>[{escape(why.message)}]</Message></Messages>"
        return f"<InvalidChangeBatch>{messages}</InvalidChangeBatch>"
    code = "InvalidClientTokenId" if why.code == "InvalidAccessKeyId" else why.code  # as it is called here
    inner = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(why.message)}</Message>"
    return f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>"


def _invalid(message: str) -> Refused:
    return Refused(400, "InvalidChangeBatch", message)


def _zones(found: list[tuple[str, str]]) -> str:
    inner = "".join(
        f"<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}.</Name>"
        "<Config><PrivateZone>false</PrivateZone></Config></HostedZone>"
        for id, name in found
    )
    return f"<R><HostedZones>{inner}</HostedZones><IsTruncated>false</IsTruncated></R>"


def _shown(key: Key, held: Held) -> str:
    name = key.name.replace("*", "\\052")
    values = "".join(f"<ResourceRecord><Value>{escape(one)}</Value></ResourceRecord>" for one in sorted(held.values))
    return (
        f"<ResourceRecordSet><Name>{name}.</Name><Type>{key.type}</Type><TTL>{held.ttl}</TTL>"
        f"<ResourceRecords>{values}</ResourceRecords></ResourceRecordSet>"
    )


def _tag(text: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return found[1] if found else ""


def _ordered(name: str) -> list[str]:
    return name.split(".")[::-1]
