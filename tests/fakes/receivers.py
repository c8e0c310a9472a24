"""Services that take notifications, each as strict as the real one, and the cable that leads to them.

The names, the look-up and every rule of what may be reached are real: the cable alone ends at a socket of the test.
"""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

SOMEWHERE = "93.184.215.14"  # an address that is neither here nor inside
Answer = tuple[int, Mapping[str, str], bytes]
OK: Answer = (200, {}, b"ok")


@dataclass
class Got:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers one after the other, the last for ever; a callable decides by what it got."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    strict: Callable[[Got], Answer] | None = None
    slow: threading.Event | None = None  # it answers once this is set

    def answer(self, got: Got) -> Answer:
        self.got.append(got)
        if self.slow:
            self.slow.wait(20)
        if self.answers:
            return self.answers.pop(0)
        return self.strict(got) if self.strict else OK


@contextmanager
def receiver(**more: Any) -> Iterator[Receiver]:
    made = Receiver(**more)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, given, said = made.answer(Got(self.path, headers, body))
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(said)), **given}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)
            except OSError:
                pass  # who asked had no patience

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        if made.slow:
            made.slow.set()
        server.shutdown()
        server.server_close()


@dataclass
class Internet:
    """What names lead to, and where an address of the outside really is."""

    names: dict[str, list[str]] = field(default_factory=dict)  # one look-up after the other, the last for ever
    places: dict[str, int] = field(default_factory=dict)  # address: a port here
    dialled: list[str] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)

    def add(self, name: str, there: Receiver, address: str = SOMEWHERE) -> None:
        self.names[name] = [address]
        self.places[address] = there.port


@contextmanager
def internet() -> Iterator[Internet]:
    net = Internet()
    look_up, dial = socket.getaddrinfo, socket.create_connection

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host not in net.names:
            return look_up(host, port, *args, **more)
        net.looked_up.append(host)
        known = net.names[host]
        address = known.pop(0) if len(known) > 1 else known[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    def create_connection(address: Any, *args: Any, **more: Any) -> Any:
        net.dialled.append(address[0])
        there = ("127.0.0.1", net.places[address[0]]) if address[0] in net.places else address
        return dial(there, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        patch.setattr(socket, "create_connection", create_connection)
        yield net


def refused(why: str) -> Answer:
    return 400, {"Content-Type": "text/plain"}, why.encode()


def slack(got: Got) -> Answer:
    """As incoming webhooks: blocks have their limits, and anything between angle brackets is a command."""
    body = got.json
    if not body.get("text") or len(body.get("blocks", [])) > 50:
        return refused("no_text")
    for block in body["blocks"]:
        texts = [block["text"]] if "text" in block else block["elements"]
        for text in texts:
            most = 150 if block["type"] == "header" else 3000
            if text["type"] not in ("plain_text", "mrkdwn") or not 1 <= len(text["text"]) <= most:
                return refused("invalid_blocks")
            if block["type"] == "header" and text["type"] != "plain_text":
                return refused("invalid_blocks")
            if text["type"] == "mrkdwn" and re.search(r"<[!@#]", text["text"]):
                return refused("somebody would have been called")
    return refused("somebody would have been called") if re.search(r"<[!@#]", body["text"]) else OK


def discord(got: Got) -> Answer:
    body = got.json
    if not body.get("embeds") or len(body["embeds"]) > 10:
        return refused('{"message": "Cannot send an empty message", "code": 50006}')
    whole = 0
    for embed in body["embeds"]:
        whole += len(embed["title"]) + len(embed.get("description", ""))
        for one in embed["fields"]:
            whole += len(one["name"]) + len(one["value"])
            if not one["name"] or not one["value"] or len(one["value"]) > 1024 or len(one["name"]) > 256:
                return refused('{"embeds": ["fields"]}')
        good_url = re.fullmatch(r"https?://[^\s<>\"]+", embed["url"])
        if len(embed["title"]) > 256 or len(embed.get("description", "")) > 4096 or len(embed["fields"]) > 25:
            return refused('{"embeds": ["too long"]}')
        if not good_url or not isinstance(embed["color"], int) or not re.match(r"\d{4}-\d\d-\d\dT", embed["timestamp"]):
            return refused('{"embeds": ["url, color or timestamp"]}')
    if body.get("allowed_mentions") != {"parse": []}:
        return refused("somebody could have been called")
    return (204, {}, b"") if whole <= 6000 else refused('{"embeds": ["Must be 6000 or fewer in length."]}')


def teams(got: Got) -> Answer:
    body = got.json
    (attachment,) = body["attachments"]
    card = attachment["content"]
    if body["type"] != "message" or attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
        return refused("Bad payload received by generic incoming webhook.")
    if card["type"] != "AdaptiveCard" or not card["version"] or not card["body"] or "msteams" in card:
        return refused("Bad card")
    for part in card["body"]:
        if part["type"] not in ("TextBlock", "FactSet") or (part["type"] == "TextBlock" and not part["text"]):
            return refused("Bad card")
    return (202, {}, b"") if len(got.body) <= 28_000 else (413, {}, b"Request Entity Too Large")


def ntfy(got: Got) -> Answer:
    body = got.json
    if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", body.get("topic", "")) or got.path != "/":
        return refused('{"code":40009,"error":"invalid topic"}')
    if len(body["message"].encode()) > 4096 or len(body["title"]) > 250 or body["priority"] not in range(1, 6):
        return refused('{"code":40012}')
    return OK


STRICT: Mapping[str, Callable[[Got], Answer]] = {"slack": slack, "discord": discord, "teams": teams, "ntfy": ntfy}
