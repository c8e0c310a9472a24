"""Cloudflare's API over a real socket: what Homeport asks of it, and what the real one refuses.

The codes and bodies are those that people who met the real API wrote down; docs/dns.md names the ones that matter.

    with FakeCloudflare() as cloudflare:
        cloudflare.add_zone("example.com")
        cloudflare.add_record("shop.example.com", "A", "203.0.113.9")
        cloudflare.fail(500, method="POST", times=2)
        settings = Settings(cloudflare_token=cloudflare.token.secret, cloudflare_api=cloudflare.url)
"""

import ipaddress
import json
import re
import socket
import struct
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

PREFIX = "/client/v4"
ADDRESSES = ("A", "AAAA")
TYPES = (*ADDRESSES, "CNAME", "MX", "NS", "TXT")
COMMENT_MOST = 100  # the free plan's
FREE_NAMES = (".cf", ".ga", ".gq", ".ml", ".tk")
PRIVATE = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                 "fc00::/7", "fe80::/10", "::1/128", "1.1.1.1/32", "1.0.0.1/32")
)  # fmt: skip
HOST = re.compile(r"(?!-)(?:\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+")


@dataclass
class Zone:
    name: str
    status: str = "active"
    read: bool = True  # what the token may do here
    edit: bool = True
    quota: int = 200
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass
class Record:
    zone_id: str
    name: str
    type: str
    content: str
    ttl: int = 1
    proxied: bool = False
    comment: str | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass
class Token:
    """The one token that the fake knows. `owner` is `account` for tokens that the verify call doesn't know."""

    secret: str = "S3NT1NEL-cloudflare_token-0123456789abcdef"
    status: str = "active"
    owner: str = "user"
    expires_on: str | None = None
    zone_read: bool = True
    zone_list: bool = True  # without it, zones can be asked for by name only
    used_from: str = ""  # set: the token may not be used from this address


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def changes(self) -> bool:
        return self.method != "GET"


@dataclass
class Fault:
    status: int
    method: str
    path: str
    times: int
    body: object
    headers: Mapping[str, str]
    delay: float
    drop: bool
    done: bool  # the change is made all the same; only its answer is lost

    def meets(self, request: Request) -> bool:
        return self.times > 0 and self.method in ("", request.method) and self.path in request.path


class Refusal(Exception):
    def __init__(self, status: int, code: int, message: str, *chain: tuple[int, str]) -> None:
        super().__init__(message)
        self.status = status
        error: dict[str, object] = {"code": code, "message": message}
        if chain:
            error["error_chain"] = [{"code": inner, "message": text} for inner, text in chain]
        self.body = {"success": False, "errors": [error], "messages": [], "result": None}


class FakeCloudflare:
    """A context manager. `zones`, `records` and `token` may be changed while it runs; `requests` is what came in."""

    def __init__(self) -> None:
        self.zones: list[Zone] = []
        self.records: list[Record] = []
        self.requests: list[Request] = []
        self.token = Token()
        self._faults: list[Fault] = []
        self._meanwhile: list[tuple[str, Callable[[], object]]] = []
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{PREFIX}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # What a test says

    def add_zone(self, name: str, **more: Any) -> Zone:
        zone = Zone(name, **more)
        self.zones.append(zone)
        return zone

    def add_record(self, name: str, type: str, content: str, **more: Any) -> Record:
        """A record that somebody made by hand, unless a comment says otherwise."""
        zone = max((each for each in self.zones if _in_zone(name, each.name)), key=lambda each: len(each.name))
        record = Record(zone.id, name, type, content, **more)
        self.records.append(record)
        return record

    def fail(
        self,
        status: int = 500,
        *,
        method: str = "",
        path: str = "",
        times: int = 1,
        code: int = 0,
        message: str = "",
        body: object = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0,
        drop: bool = False,
        done: bool = False,
    ) -> None:
        """The next requests that meet this are answered so: by a status, late, or not at all."""
        if code:
            body = Refusal(status, code, message).body
        self._faults.append(Fault(status, method, path, times, body, headers or {}, delay, drop, done))

    def meanwhile(self, method: str, action: Callable[[], object]) -> None:
        """Runs once, just before the next request of this method is served: what somebody else did in between."""
        self._meanwhile.append((method, action))

    def at(self, name: str) -> list[Record]:
        return [record for record in self.records if record.name == name]

    @property
    def changes(self) -> list[Request]:
        return [request for request in self.requests if request.changes]

    # What the server asks

    def serve(self, request: Request, handler: "_Handler") -> None:
        with self._lock:
            self.requests.append(request)
            for at, (method, action) in enumerate(self._meanwhile):
                if method == request.method:
                    del self._meanwhile[at]
                    action()
                    break
            fault = next((each for each in self._faults if each.meets(request)), None)
            if fault:
                fault.times -= 1
        if fault:
            self._misbehave(fault, request, handler)
        else:
            handler.reply(*self._answer(request))

    def _misbehave(self, fault: Fault, request: Request, handler: "_Handler") -> None:
        answer = self._answer(request) if fault.done or fault.delay else (200, {})
        self._closing.wait(fault.delay)
        if fault.drop:
            handler.drop()
        elif fault.delay:
            handler.reply(*answer)
        else:
            handler.reply(fault.status, fault.body, fault.headers)

    def _answer(self, request: Request) -> tuple[int, object]:
        with self._lock:
            try:
                return 200, self._result(request)
            except Refusal as why:
                return why.status, why.body

    def _result(self, request: Request) -> dict[str, object]:
        self._authenticate(request)
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["user", "tokens", "verify"]:
                return self._verify()
            case "GET", ["zones"]:
                return self._list_zones(request)
            case method, ["zones", zone_id, "dns_records", *rest]:
                return self._dns(method, self._zone(zone_id, request, edit=request.changes), rest, request)
        raise Refusal(
            404, 7003, f"Could not route to {PREFIX}{request.path}, perhaps your object identifier is invalid?"
        )

    def _authenticate(self, request: Request) -> None:
        verify = request.path.endswith("/tokens/verify")
        given = request.headers.get("authorization", "")
        if "x-auth-email" in request.headers or "x-auth-key" in request.headers:
            raise Refusal(400, 6003, "Invalid request headers", (6103, "Invalid format for X-Auth-Key header"))
        if not given and verify:
            raise Refusal(400, 1001, 'Missing "Authorization" header')
        if not given:
            raise Refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{37,}", given):
            raise Refusal(400, 6003, "Invalid request headers", (6111, "Invalid format for Authorization header"))
        known = given == f"Bearer {self.token.secret}"
        if verify and not (known and self.token.owner == "user"):
            raise Refusal(401, 1000, "Invalid API Token")
        if not known and "dns_records" in request.path:
            raise Refusal(401, 10000, "Authentication error")
        if not known or (self.token.status != "active" and not verify):
            raise Refusal(403, 9109, "Invalid access token")
        if self.token.used_from:
            raise Refusal(403, 9109, f"Cannot use the access token from location: {self.token.used_from}")

    def _verify(self) -> dict[str, object]:
        result: dict[str, object] = {"id": "ed17574386854bf78a67040be0a770b0", "status": self.token.status}
        if self.token.expires_on:
            result["expires_on"] = self.token.expires_on
        return _ok(result)

    def _list_zones(self, request: Request) -> dict[str, object]:
        name = request.query.get("name", "")
        if not self.token.zone_read or not (name or self.token.zone_list):
            actor = "Actor 'com.cloudflare.api.token.ed17574386854bf78a67040be0a770b0'"
            raise Refusal(403, 0, f"{actor} requires permission 'com.cloudflare.api.account.zone.list' to list zones")
        found = [zone for zone in self.zones if zone.read and name in ("", zone.name)]
        return _page([_zone_body(zone) for zone in found], request, default=20, most=50)

    def _zone(self, zone_id: str, request: Request, *, edit: bool) -> Zone:
        if not re.fullmatch(r"[0-9a-f]{32}", zone_id):
            route = f"{PREFIX}{request.path}"
            raise Refusal(404, 7003, f"Could not route to {route}, perhaps your object identifier is invalid?")
        zone = next((each for each in self.zones if each.id == zone_id), None)
        # A zone that isn't there and one that the token has no rights in are answered alike.
        if zone is None or not (zone.edit if edit else zone.edit or zone.read):
            raise Refusal(403, 10000, "Authentication error")
        if edit and zone.name.endswith(FREE_NAMES):
            raise Refusal(
                403, 1038, f"You cannot use this API for domains with a {', '.join(FREE_NAMES)} TLD (top-level domain)."
            )
        return zone

    def _dns(self, method: str, zone: Zone, rest: list[str], request: Request) -> dict[str, object]:
        match method, rest:
            case "GET", []:
                return _page(self._listed(zone, request.query), request, default=100, most=5_000_000)
            case "POST", []:
                return _ok(_record_body(self._create(zone, request.body)))
            case "POST", ["batch"]:
                return _ok(self._batch(zone, request.body))
            case (("PATCH" | "PUT"), [record_id]):
                return _ok(_record_body(self._edit(zone, record_id, request.body, whole=method == "PUT")))
            case "DELETE", [record_id]:
                self.records.remove(self._record(zone, record_id))
                return _ok({"id": record_id})
        raise Refusal(405, 10405, f"Method {method} not available for that URI.")

    def _listed(self, zone: Zone, query: dict[str, str]) -> list[dict[str, object]]:
        name = query.get("name.exact") or query.get("name") or ""
        return [
            _record_body(record)
            for record in self.records
            if record.zone_id == zone.id
            and name.lower() in ("", record.name)
            and query.get("type", record.type) == record.type
            and (record.comment or "").startswith(query.get("comment.startswith", ""))
        ]

    def _record(self, zone: Zone, record_id: str) -> Record:
        for record in self.records:
            if record.zone_id == zone.id and record.id == record_id:
                return record
        raise Refusal(404, 81044, "Record does not exist.")

    def _create(self, zone: Zone, body: Any) -> Record:
        record = self._valid(_merged(Record(zone.id, "", "", ""), body, zone))
        if len([each for each in self.records if each.zone_id == zone.id]) >= zone.quota:
            raise Refusal(400, 81045, "The record quota has been exceeded.")
        self._no_clash(record)
        self.records.append(record)
        return record

    def _edit(self, zone: Zone, record_id: str, body: Any, *, whole: bool) -> Record:
        old = self._record(zone, record_id)
        record = self._valid(_merged(Record(zone.id, "", "", "", id=old.id) if whole else old, body, zone))
        self._no_clash(record)
        self.records[self.records.index(old)] = record
        return record

    def _batch(self, zone: Zone, body: Any) -> dict[str, object]:
        """One transaction: deletes, patches, puts, posts, or none of them."""
        with self._all_or_nothing():
            gone = [self._record(zone, each["id"]) for each in body.get("deletes") or ()]
            for record in gone:
                self.records.remove(record)
            patched = [self._edit(zone, each["id"], each, whole=False) for each in body.get("patches") or ()]
            put = [self._edit(zone, each["id"], each, whole=True) for each in body.get("puts") or ()]
            made = [self._create(zone, each) for each in body.get("posts") or ()]
        sets = {"deletes": gone, "patches": patched, "puts": put, "posts": made}
        return {name: [_record_body(each) for each in records] for name, records in sets.items()}

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        before = list(self.records)
        try:
            yield
        except Refusal:
            self.records[:] = before
            raise

    def _valid(self, record: Record) -> Record:
        if not HOST.fullmatch(record.name):
            raise Refusal(400, 9000, "DNS name is invalid.")
        if record.type not in TYPES:
            raise Refusal(400, 1004, "DNS Validation Error", (9001, "Record type is invalid."))
        _check_content(record)
        if not isinstance(record.ttl, int):
            raise Refusal(400, 9022, "TTL must be a number, not a string.")
        if record.ttl != 1 and not 60 <= record.ttl <= 86400:
            text = "TTL must be between 60 and 86400 seconds, or 1 for Automatic."
            raise Refusal(400, 1004, "DNS Validation Error", (9021, text))
        if len(record.comment or "") > COMMENT_MOST:
            text = f"DNS record comment exceeds the maximum length of {COMMENT_MOST} characters."
            raise Refusal(400, 9313, text)
        return replace(record, ttl=1) if record.proxied else record

    def _no_clash(self, record: Record) -> None:
        more = "For more details, refer to <https://developers.cloudflare.com/dns/>."
        for other in self.records:
            if other.id == record.id or (other.zone_id, other.name) != (record.zone_id, record.name):
                continue
            if (other.type, other.content) == (record.type, record.content):
                raise Refusal(400, 81058, "An identical record already exists.")
            if other.type == "NS" and record.type in (*ADDRESSES, "CNAME"):
                raise Refusal(400, 81056, f"NS records with that host already exist. {more}")
            if record.type == "CNAME":
                raise Refusal(400, 81053, f"An A, AAAA, or CNAME record with that host already exists. {more}")
            if other.type == "CNAME":
                raise Refusal(400, 81054, f"A CNAME record with that host already exists. {more}")


def _check_content(record: Record) -> None:
    if record.type == "A" and not _is_address(record.content, 4):
        raise Refusal(400, 9005, "Content for A record must be a valid IPv4 address.")
    if record.type == "AAAA" and not _is_address(record.content, 6):
        raise Refusal(400, 9006, "Content for AAAA record must be a valid IPv6 address.")
    if record.type == "CNAME" and (_is_address(record.content) or not HOST.fullmatch(record.content)):
        raise Refusal(400, 9007, "Content for CNAME record is invalid.")
    if record.type == "CNAME" and record.content == record.name:
        raise Refusal(400, 9039, "CNAME content cannot reference itself.")
    if record.proxied and record.type not in (*ADDRESSES, "CNAME"):
        raise Refusal(400, 9004, "This record type cannot be proxied.")
    if record.proxied and _is_private(record.content):
        raise Refusal(400, 9003, f"Target {record.content} is not allowed for a proxied record.")


def _merged(record: Record, body: Any, zone: Zone) -> Record:
    if not isinstance(body, dict):
        raise Refusal(400, 9207, "Request body is invalid.")
    known = {key: body[key] for key in ("name", "type", "content", "ttl", "proxied", "comment") if key in body}
    merged = replace(record, **known)
    merged.name = _full_name(merged.name.lower().rstrip("."), zone.name)
    if merged.type == "AAAA" and _is_address(merged.content, 6):
        merged.content = str(ipaddress.ip_address(merged.content))
    if merged.type == "CNAME":
        merged.content = merged.content.rstrip(".")
    return merged


def _full_name(name: str, zone: str) -> str:
    """A name outside the zone is taken for one inside it, as the real API does."""
    if name in ("", "@"):
        return zone
    return name if _in_zone(name, zone) else f"{name}.{zone}"


def _in_zone(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def _is_address(text: str, version: int = 0) -> bool:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return version in (0, found.version)


def _is_private(text: str) -> bool:
    return _is_address(text) and any(ipaddress.ip_address(text) in network for network in PRIVATE)


def _ok(result: object) -> dict[str, object]:
    return {"success": True, "errors": [], "messages": [], "result": result}


def _page(items: list[dict[str, object]], request: Request, *, default: int, most: int) -> dict[str, object]:
    """One page; past the last one it is empty."""
    size = max(1, min(int(request.query.get("per_page", default)), most))
    page = int(request.query.get("page", 1))
    shown = items[(page - 1) * size : page * size]
    pages = -(-len(items) // size)
    info = {"page": page, "per_page": size, "count": len(shown), "total_count": len(items), "total_pages": pages}
    return _ok(shown) | {"result_info": info}


def _zone_body(zone: Zone) -> dict[str, object]:
    return {
        "id": zone.id,
        "name": zone.name,
        "status": zone.status,
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": ["burt.ns.cloudflare.com", "carlane.ns.cloudflare.com"],
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": "2014-01-01T05:20:00.12345Z",
        "modified_on": "2014-01-01T05:20:00.12345Z",
        "activated_on": "2014-01-02T00:01:00.12345Z",
        "account": {"id": "01a7362d577a6c3019a474fd6f485823", "name": "Example"},
        "owner": {"id": None, "type": "user", "email": None},
        "meta": {"step": 2, "page_rule_quota": 3, "phishing_detected": False},
        "permissions": ["#zone:read", "#dns_records:read", *(["#dns_records:edit"] if zone.edit else [])],
        "plan": {"id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "name": "Free Website", "price": 0},
    }


def _record_body(record: Record) -> dict[str, object]:
    body: dict[str, object] = asdict(record)
    del body["zone_id"]
    dates = {"created_on": "2014-01-01T05:20:00.12345Z", "modified_on": "2014-01-01T05:20:00.12345Z"}
    proxiable = record.type in (*ADDRESSES, "CNAME") and not _is_private(record.content)
    return body | dates | {"proxiable": proxiable, "settings": {}, "meta": {}, "tags": []}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection for as long as it likes

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up first is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeCloudflare

    def handle_one(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        path = parts.path.removeprefix(PREFIX)
        self.fake.serve(Request(self.command, path, dict(parse_qsl(parts.query)), headers, body), self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

    def reply(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        """A text is sent as a web page, as a proxy or a broken edge does; anything else as JSON."""
        page = isinstance(body, str)
        data = str(body).encode() if page else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8" if page else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def drop(self) -> None:
        """Hang up without an answer, by a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a test looks at `requests`."""


def _handler_of(fake: FakeCloudflare) -> type[_Handler]:
    return type("Handler", (_Handler,), {"fake": fake})
