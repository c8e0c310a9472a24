"""A real BIND with zones of its own, in one folder, on a port that anyone may use."""

import base64
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import dns.xfr
import dns.zone

from appliance.machine import nameservers
from appliance.machine.nameservers import Server
from tests.servers import eventually, free_port

SECRET = base64.b64encode(b"S3NT1NEL-rfc2136-key-0123456789a").decode()
HAND = base64.b64encode(b"the key of whoever edits by hand").decode()
KEY = "homeport-key"
_HAND_KEY = dns.tsig.Key("hand", HAND, "hmac-sha256")
_CONF = """\
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no;
    notify no; allow-transfer {{ {transfer} }};
}};
controls {{ }};
key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};
key "hand" {{ algorithm hmac-sha256; secret "{hand}"; }};
"""
_ZONE = 'zone "{name}" {{ type master; file "{name}.zone"; update-policy {{ {grants} }}; }};\n'
_START = "$TTL 300\n@ IN SOA ns1 host 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n"


class Bind:
    """`example.com` and `eu.example.com` may be updated with the key; `refused.example` by hand alone."""

    def __init__(self, folder: Path, *, transfer: bool = True) -> None:
        self.folder = folder
        self.port = free_port()
        folder.mkdir(exist_ok=True, parents=True)
        who = f'key "{KEY}"; key "hand";' if transfer else 'key "hand";'
        conf = _CONF.format(folder=folder, port=self.port, transfer=who, key=KEY, secret=SECRET, hand=HAND)
        for name, keys in {
            "example.com": (KEY, "hand"),
            "eu.example.com": (KEY, "hand"),
            "refused.example": ("hand",),
        }.items():
            (folder / f"{name}.zone").write_text(_START)
            conf += _ZONE.format(name=name, grants=" ".join(f"grant {key} zonesub ANY;" for key in keys))
        (folder / "named.conf").write_text(conf)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """As they are saved in Settings."""
        return {
            "dns_provider": "rfc2136",
            "rfc2136_server": self.address,
            "rfc2136_key_name": KEY,
            "rfc2136_key_secret": SECRET,
        }

    def __enter__(self) -> Self:
        named = shutil.which("named", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "named"
        log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(
            [named, "-c", str(self.folder / "named.conf"), "-f", "-n", "1"], stdout=log, stderr=log
        )
        log.close()
        eventually(self._listens)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def values(self, name: str, type: str) -> set[str]:
        return nameservers.ask(self._server, name, type) or set()

    def by_hand(self, name: str, type: str, content: str, ttl: int = 300) -> None:
        """What somebody adds with a key of their own."""
        update = self._update(name)
        update.add(_full(name), ttl, type, content)
        self._send(update)

    def drop(self, name: str, type: str) -> None:
        update = self._update(name)
        update.delete(_full(name), type)
        self._send(update)

    def wipe(self) -> None:
        """As at the start."""
        for zone in ("example.com", "eu.example.com", "refused.example"):
            whole = dns.zone.Zone(zone, relativize=False)
            query, _ = dns.xfr.make_query(whole)
            query.use_tsig(_HAND_KEY)
            dns.query.inbound_xfr("127.0.0.1", whole, query, port=self.port, lifetime=5)
            update = dns.update.UpdateMessage(zone, keyring={_HAND_KEY.name: _HAND_KEY}, keyname=_HAND_KEY.name)
            for name in whole:
                if name not in (whole.origin, _full(f"ns1.{zone}")):
                    update.delete(name)
            self._send(update)

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return bool(nameservers.ask(self._server, "example.com", "SOA"))
        except OSError:
            return False

    @property
    def _server(self) -> Server:
        return Server("127.0.0.1", self.port)

    def _update(self, name: str) -> dns.update.UpdateMessage:
        zone = "eu.example.com" if name.endswith("eu.example.com") else ".".join(name.split(".")[-2:])
        return dns.update.UpdateMessage(zone, keyring={_HAND_KEY.name: _HAND_KEY}, keyname=_HAND_KEY.name)

    def _send(self, update: dns.update.UpdateMessage) -> None:
        answer = dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=5)
        assert answer.rcode() == dns.rcode.NOERROR, dns.rcode.to_text(answer.rcode())


def _full(name: str) -> dns.name.Name:
    return dns.name.from_text(name)
