"""Let's Encrypt's Pebble, a real ACME server, with a DNS server that leads every name to this host."""

import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from appliance.certificates.pem import chain_text, key_text, new_key
from tests.servers import PATIENCE, free_port, wait_for


class Pebble:
    """Issues for whatever answers on `http_port`. Refuses some nonces, as real ones may."""

    def __init__(
        self,
        folder: Path,
        http_port: int,
        *,
        refused_nonces: int = 10,
        name_server: str = "",
        bound: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._name_server = name_server
        self._bound = bound
        self.port, self.dns_port, self.told_port, self.root_port = (free_port() for _ in range(4))
        self._http_port = http_port
        self._environ = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(refused_nonces)}
        self._running: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True)
        self.trust = folder / "trust.pem"

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def environ(self) -> dict[str, str]:
        """For an appliance that gets its certificates here."""
        return {"HOMEPORT_ACME_DIRECTORY": self.directory, "SSL_CERT_FILE": str(self.trust)}

    def roots(self) -> str:
        """What a browser would have to trust."""
        context = ssl.create_default_context(cafile=str(self.trust))
        with urllib.request.urlopen(f"https://127.0.0.1:{self.root_port}/roots/0", context=context) as answer:
            text: str = answer.read().decode()
            return text

    def lead(self, host: str, *addresses: str) -> None:
        """Have a name lead elsewhere, or nowhere."""
        body = json.dumps({"host": f"{host}.", "addresses": list(addresses)}).encode()
        where = f"http://127.0.0.1:{self.told_port}/{'add-a' if addresses else 'set-servfail'}"
        urllib.request.urlopen(where, data=body).close()

    def lead_here_again(self, host: str) -> None:
        for path in ("clear-servfail", "clear-a"):
            body = json.dumps({"host": f"{host}."}).encode()
            urllib.request.urlopen(f"http://127.0.0.1:{self.told_port}/{path}", data=body).close()

    def __enter__(self) -> Self:
        self._certify()
        at = {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.root_port}"}
        own = {"certificate": str(self.folder / "own.pem"), "privateKey": str(self.folder / "own.key")}
        config = self.folder / "pebble.json"
        binding = {"externalAccountBindingRequired": True, "externalAccountMACKeys": self._bound} if self._bound else {}
        ports = {"httpPort": self._http_port, "tlsPort": free_port()}
        config.write_text(json.dumps({"pebble": {**at, **own, **ports, **binding}}))
        dns = f"127.0.0.1:{self.dns_port}"
        self._start(
            *("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", dns),
            *("-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{self.told_port}"),
        )
        self._start("pebble", "-config", str(config), "-dnsserver", self._name_server or dns)
        wait_for(("127.0.0.1", self.told_port))
        wait_for(("127.0.0.1", self.port))
        wait_for(("127.0.0.1", self.root_port))
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._running:
            one.terminate()
            one.wait(PATIENCE)

    def _start(self, *argv: str) -> None:
        log = (self.folder / f"{argv[0]}.log").open("wb")
        environ = {**os.environ, **self._environ}
        self._running.append(subprocess.Popen(argv, stdout=log, stderr=log, env=environ))
        log.close()

    def _certify(self) -> None:
        """The server's own certificate, which is its own root."""
        key, name = new_key(), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pebble")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        (self.folder / "own.pem").write_text(chain_text([made]))
        (self.folder / "own.key").write_text(key_text(key))
        self.trust.write_text(chain_text([made]))
