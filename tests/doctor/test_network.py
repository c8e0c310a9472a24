import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from appliance.doctor import network
from appliance.settings import Settings


@contextmanager
def answering(server: str, body: bytes = b"") -> Iterator[int]:
    """A real server that gives one name."""

    class Handler(BaseHTTPRequestHandler):
        def version_string(self) -> str:
            return server

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    try:
        yield httpd.server_address[1]
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.fixture
def held() -> Iterator[int]:
    """A port that is held by something that never speaks."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def test_a_free_port(free: int) -> None:
    found = network.appliance_port(Settings(port=free))[0]
    assert (found.status, found.text) == ("ok", f"127.0.0.1 port {free} is free.")


def test_a_port_that_the_system_chooses() -> None:
    assert network.appliance_port(Settings(port=0))[0].status == "off"


def test_our_own_port() -> None:
    with answering("", b'{"status": "ok", "version": "0.1.0"}') as port:
        assert network.appliance_port(Settings(port=port))[0].text == f"Homeport answers on 127.0.0.1 port {port}."


def test_a_port_that_someone_else_answers() -> None:
    with answering("other/1.0", b'{"status": "ok"}') as port:
        found = network.appliance_port(Settings(port=port))[0]
    assert (found.status, "by other/1.0" in found.text) == ("failed", True)


def test_a_port_that_is_held(held: int) -> None:
    found = network.appliance_port(Settings(port=held))[0]
    assert found.status == "failed"
    assert "ss -ltnp" in found.mend


def test_an_address_that_is_not_of_this_host(free: int) -> None:
    found = network.appliance_port(Settings(host="192.0.2.1", port=free))[0]
    assert (found.status, found.mend) == ("failed", "Choose an address of this host with --host.")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("80", [("127.0.0.1", 80)]),
        ("192.0.2.1:8080 [::]:81", [("192.0.2.1", 8080), ("::1", 81)]),
        ("*:80 0.0.0.0:82", [("127.0.0.1", 80), ("127.0.0.1", 82)]),
    ],
)
def test_where_nginx_listens(text: str, found: list[tuple[str, int]]) -> None:
    assert network.listens(text) == found


def test_who_answers_visitors(free: int) -> None:
    with answering("nginx/1.22.1") as theirs, answering("Apache") as others:
        found = network.web_ports(Settings(nginx_listen=f"127.0.0.1:{theirs} 127.0.0.1:{others} 127.0.0.1:{free}"))
    assert [check.status for check in found[:3]] == ["ok", "warn", "warn"]
    assert found[0].text == f"Port {theirs} is answered by nginx/1.22.1."
    assert "by Apache" in found[1].text
    assert found[3].name == "port.443"


def test_nobody_needs_to_answer_where_nginx_is_not_used(free: int) -> None:
    found = network.web_ports(Settings(backend="builtin", nginx_listen=f"127.0.0.1:{free}"))
    assert found[0].status == "off"


def test_its_own_name() -> None:
    assert network.own_url(Settings())[0].status == "off"
    assert network.own_url(Settings(url="https://localhost"))[0].status == "ok"
    found = network.own_url(Settings(url="https://deploy.invalid/"))[0]
    assert (found.status, "deploy.invalid can't be looked up" in found.text) == ("failed", True)
    assert "not an address of this host" in network.own_url(Settings(url="http://192.0.2.1:8420"))[0].text
