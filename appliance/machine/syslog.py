"""Syslog as RFC 5424 has it, over UDP, TCP or a socket on this host."""

import errno
import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

from appliance.errors import HostFailed
from appliance.model.activity import Activity

AUDIT, INFO, WARNING = 13, 6, 4
OURS = "homeport@32473"  # the number is the one that is set aside for those who have none of their own
LONGEST = 8000  # bytes of a datagram, so that it arrives
PATIENCE = 5.0  # seconds
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_URGENT = {"access.refused", "session.failed", "session.unconfirmed", "session.refused", "activity.cut"}


def message(entry: Activity, host: str) -> bytes:
    """One entry. No value in it can begin a line, or a field, of its own."""
    severity = WARNING if entry.verb in _URGENT else INFO
    facts = {
        "id": entry.id,
        "actor": entry.actor,
        "kind": entry.actor_kind,
        "person": entry.person,
        "key": entry.key_id,
        "verb": entry.verb,
        "subject": entry.subject,
        "project": entry.project,
        "environment": entry.environment,
        "deployment": entry.deployment,
        "door": entry.door,
        "ip": entry.ip,
        "hash": entry.hash,
    }
    name = re.sub(r"[^!-~]", "", host)[:255] or "-"
    head = f"<{AUDIT * 8 + severity}>1 {entry.at} {name} homeport - {entry.verb[:32]} {_structured(facts)}"
    return f"{head} {json.dumps(entry.data)}".encode()


def send(address: str, messages: Sequence[bytes]) -> None:
    """All of them, or HostFailed: then they are sent again, so that one may arrive twice but none is left out."""
    to = urlsplit(address)
    try:
        with _reached(to.scheme, to.hostname or "", to.port or 514, to.path) as (sock, stream):
            if stream:
                sock.sendall(b"".join(b"%d %s" % (len(one), one) for one in messages))
                _see_taken(sock)
            else:
                for one in messages:
                    sock.send(one[:LONGEST])
                _see_not_refused(sock)
    except OSError as why:
        raise HostFailed(f"The syslog server {address} can't be reached: {why.strerror or why}.") from why


@contextmanager
def _reached(scheme: str, host: str, port: int, path: str) -> Iterator[tuple[socket.socket, bool]]:
    """A connected socket, and whether what goes into it has to be told apart by length."""
    if scheme == "unix":
        sock, stream = _local(path)
    elif scheme == "tcp":
        sock, stream = socket.create_connection((host, port), PATIENCE), True
    else:
        family, kind, protocol, _, at = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        sock, stream = socket.socket(family, kind, protocol), False
        sock.connect(at)
    with closing(sock):
        sock.settimeout(PATIENCE)
        yield sock, stream


def _local(path: str) -> tuple[socket.socket, bool]:
    """Most take datagrams, some a stream."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        sock = socket.socket(socket.AF_UNIX, kind)
        try:
            sock.settimeout(PATIENCE)
            sock.connect(path)
        except OSError as why:
            sock.close()
            if kind == socket.SOCK_STREAM or why.errno != errno.EPROTOTYPE:
                raise
        else:
            return sock, kind == socket.SOCK_STREAM
    raise AssertionError(path)


def _see_taken(sock: socket.socket) -> None:
    """It reads to our end, and hangs up; one that goes away in between breaks off. Some never hang up."""
    sock.shutdown(socket.SHUT_WR)
    try:
        while sock.recv(4096):
            pass
    except TimeoutError:
        return


def _see_not_refused(sock: socket.socket) -> None:
    """A host says so where nothing listens, if it says anything."""
    sock.setblocking(False)
    try:
        sock.recv(1)
    except BlockingIOError:
        return


def _structured(facts: Mapping[str, object]) -> str:
    pairs = " ".join(f'{name}="{_escaped(str(value))}"' for name, value in facts.items() if value is not None)
    return f"[{OURS} {pairs}]"


def _escaped(text: str) -> str:
    shown = _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return re.sub(r'(["\\\]])', r"\\\1", shown)
