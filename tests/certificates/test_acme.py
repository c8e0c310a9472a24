"""Certificates from a real ACME server, served by a real NGINX."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.appliance import Appliance
from tests.authority import Pebble
from tests.bind import Bind
from tests.servers import Nginx, ask, eventually, free_port

pytestmark = [pytest.mark.nginx, pytest.mark.acme]
HOST = "www.example.com"


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path / "nginx") as running:
        yield running


@pytest.fixture
def pebble(tmp_path: Path, nginx: Nginx) -> Iterator[Pebble]:
    with Pebble(tmp_path / "pebble", nginx.port) as running:
        yield running


@pytest.fixture
def secure(tmp_path: Path, nginx: Nginx, pebble: Pebble) -> Iterator[Appliance]:
    """With a site at a URL, over HTTP alone."""
    environ = {**nginx.environ, **pebble.environ, "HOMEPORT_NGINX_LISTEN_TLS": f"127.0.0.1:{free_port()}"}
    with Appliance(tmp_path / "data", **environ, HOMEPORT_BACKEND="nginx") as running:
        running.project("blog")
        running.deploy("blog", {"index.html": "<h1>blog</h1>"})
        add(running, HOST)
        yield running


def add(server: Appliance, host: str) -> None:
    made = server.ask("POST", "/projects/blog/environments/production/urls?wait=30", json={"host": host})
    assert made.json()["status"] == "active", made.text


def want(server: Appliance, host: str = HOST, **wish: Any) -> None:
    answer = server.ask("PUT", f"/urls/{host}/certificate", json={"tls": "acme", **wish})
    assert answer.status_code == 202, answer.text


def certificate(server: Appliance, host: str = HOST) -> Any:
    return server.get(f"/urls/{host}/certificate")


def settled(server: Appliance, host: str = HOST) -> Any:
    eventually(lambda: certificate(server, host)["status"] in ("ok", "failed"))
    return certificate(server, host)


def port_of(server: Appliance) -> int:
    return int(server.environ["HOMEPORT_NGINX_LISTEN_TLS"].rpartition(":")[2])


def shown(server: Appliance, roots: str, host: str = HOST) -> x509.Certificate:
    """What a browser is shown that trusts these roots and no others; it refuses all else."""
    context = ssl.create_default_context(cadata=roots)
    with (
        socket.create_connection(("127.0.0.1", port_of(server)), 10) as raw,
        context.wrap_socket(raw, server_hostname=host) as line,
    ):
        assert line.version() == "TLSv1.3"
        line.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: line.recv(65536), b""))
        assert b"<h1>blog</h1>" in said
        found = line.getpeercert(binary_form=True)
        assert found is not None
        return x509.load_der_x509_certificate(found)


def test_a_url_gets_its_certificate_by_http(secure: Appliance, pebble: Pebble, nginx: Nginx) -> None:
    want(secure, hsts=3600)
    one = settled(secure)
    assert (one["status"], one["error"]) == ("ok", None), one
    leaf = shown(secure, pebble.roots())
    assert one["expires"][:10] == f"{leaf.not_valid_after_utc:%Y-%m-%d}"
    led = nginx.ask("/deep?x=1", HOST)
    assert (led.status, led.headers["location"]) == (301, f"https://{HOST}:{port_of(secure)}/deep?x=1")
    assert secure.get("/urls")["items"][0]["certificate"]["status"] == "ok"
    kept = secure.data / "certificates" / HOST
    assert {file.stat().st_mode & 0o777 for file in kept.iterdir()} == {0o600}
    assert kept.stat().st_mode & 0o777 == 0o700
    assert list((secure.data / "challenges").iterdir()) == []


def test_a_renewal_takes_the_place_of_the_last(secure: Appliance, pebble: Pebble) -> None:
    want(secure)
    settled(secure)
    before = shown(secure, pebble.roots()).serial_number
    assert secure.ask("POST", f"/urls/{HOST}/certificate/renew").status_code == 202
    with_patience(lambda: shown(secure, pebble.roots()).serial_number != before)
    assert certificate(secure)["status"] == "ok"


def test_a_name_that_leads_elsewhere_is_said_in_words_and_tried_again(secure: Appliance, pebble: Pebble) -> None:
    pebble.lead(HOST)
    want(secure)
    one = settled(secure)
    assert one["status"] == "failed" and one["renews_at"]
    assert "could not reach this name over HTTP" in one["error"]
    assert ask(("127.0.0.1", int(secure.environ["HOMEPORT_NGINX_LISTEN"].rpartition(":")[2])), "/", HOST).status == 200
    pebble.lead_here_again(HOST)
    assert secure.ask("POST", f"/urls/{HOST}/certificate/renew").status_code == 202
    assert settled(secure)["status"] == "ok"


def test_killed_in_the_middle_it_goes_on_with_its_order(secure: Appliance, pebble: Pebble) -> None:
    secure.stop()
    secure.environ["HOMEPORT_FAULT"] = "kill:certificate challenged"
    secure.start()
    want(secure)
    assert secure.process is not None
    secure.process.wait(20)
    secure.process = None
    del secure.environ["HOMEPORT_FAULT"]
    secure.start()
    assert settled(secure)["status"] == "ok"
    shown(secure, pebble.roots())
    orders = (pebble.folder / "pebble.log").read_text().count("Added order")
    assert orders == 1


def test_a_site_with_a_password_or_in_maintenance_is_renewed_all_the_same(secure: Appliance, pebble: Pebble) -> None:
    guard = "/projects/blog/environments/production/guard"
    assert secure.ask("PATCH", guard, json={"maintenance": "Back soon"}).status_code == 200
    eventually(lambda: b"Back soon" in ask(http(secure), "/", HOST).body)
    want(secure)
    assert settled(secure)["status"] == "ok"


def test_taken_away_the_url_is_as_it_was_before(secure: Appliance) -> None:
    file = secure.data / "nginx" / f"{HOST}.conf"
    before = file.read_bytes()
    want(secure)
    settled(secure)
    assert secure.ask("DELETE", f"/urls/{HOST}/certificate").status_code == 202
    eventually(lambda: file.read_bytes() == before)
    eventually(lambda: ask(http(secure), "/", HOST).status == 200)


@pytest.mark.bind
def test_a_wildcard_gets_its_certificate_by_dns(tmp_path: Path, nginx: Nginx) -> None:
    """A real name server is written to, and asked by the authority."""
    with Bind(tmp_path / "bind") as bind, Pebble(tmp_path / "dns", nginx.port, name_server=bind.address) as pebble:
        dns = {f"HOMEPORT_{name.upper()}": value for name, value in bind.settings.items()}
        dns |= {"HOMEPORT_DNS_RESOLVER": bind.address, "HOMEPORT_DNS_TARGET": "127.0.0.1"}
        environ = {**nginx.environ, **pebble.environ, **dns, "HOMEPORT_BACKEND": "nginx", "HOMEPORT_TLS": "acme"}
        tls = f"127.0.0.1:{free_port()}"
        with Appliance(tmp_path / "data", **environ, HOMEPORT_NGINX_LISTEN_TLS=tls) as server:
            server.project("blog")
            server.deploy("blog", {"index.html": "<h1>blog</h1>"})
            add(server, "*.preview.example.com")
            one = settled(server, "*.preview.example.com")
            assert (one["status"], one["error"]) == ("ok", None), one
            shown(server, pebble.roots(), "pr-12.preview.example.com")
            assert bind.values("_acme-challenge.preview.example.com", "TXT") == set()


def http(server: Appliance) -> tuple[str, int]:
    return "127.0.0.1", int(server.environ["HOMEPORT_NGINX_LISTEN"].rpartition(":")[2])


def with_patience(done: Any) -> None:
    """A renewal waits for the end of its minute."""
    from appliance.machine.served import until

    assert until(done, 90, longest=1)
