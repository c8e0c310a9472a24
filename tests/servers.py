"""Real servers for tests: an NGINX of its own, an app in Uvicorn, and a client that sends exactly what it is told."""

import http.client
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from appliance.machine.process import run
from appliance.machine.served import until
from appliance.settings import Settings

Address = tuple[str, int]
PATIENCE = 10.0

_CONF = """\
{user}
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
    include conf.d/types.conf;
    default_type text/plain;
    access_log off;
    client_body_temp_path {folder}/temp-body;
    proxy_temp_path {folder}/temp-proxy;
    fastcgi_temp_path {folder}/temp-fastcgi;
    uwsgi_temp_path {folder}/temp-uwsgi;
    scgi_temp_path {folder}/temp-scgi;
    gzip on;
    charset koi8-r;
    open_file_cache max=1000 inactive=60s;
    include conf.d/*.conf;
    include {enabled}/*;
}}
"""
_DEFAULT = """\
server {{
    listen 127.0.0.1:{port} default_server;
    server_name default.example;
    return 404 "the default site\\n";
}}
"""


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # lower-case names; of several, the first
    body: bytes


def ask(
    address: Address, target: str | bytes, host: str = "www.example.com", *, method: str = "GET", **headers: str
) -> Answer:
    """One request, its target sent as it is. A header `if_range=...` is sent as If-Range."""
    lines = [f"{method} ".encode() + (target.encode() if isinstance(target, str) else target) + b" HTTP/1.1"]
    lines += [f"Host: {host}".encode(), b"Connection: close"]
    lines += [f"{name.replace('_', '-').title()}: {value}".encode() for name, value in headers.items()]
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        body = response.read()
        found: dict[str, str] = {}
        for name, value in response.getheaders():
            found.setdefault(name.lower(), value)
        return Answer(response.status, found, body)


class Nginx:
    """An NGINX with folders as on Debian, all of it in one folder, on ports that anyone may use.

    It starts with someone else's default site, and main-file settings that a site of ours must not be moved by.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.conf = folder / "nginx.conf"
        self.sites_available = folder / "sites-available"
        self.sites_enabled = folder / "sites-enabled"
        self.conf_d = folder / "conf.d"
        for one in (folder, self.sites_available, self.sites_enabled, self.conf_d):
            one.mkdir(exist_ok=True, parents=True)
        user = "user root;" if os.geteuid() == 0 else ""
        self.conf.write_text(_CONF.format(user=user, folder=folder, enabled=self.sites_enabled))
        (self.conf_d / "types.conf").write_text("types { text/plain html; }\n")
        self.site("default", _DEFAULT.format(port=self.port))

    def site(self, name: str, text: str) -> Path:
        """Someone else's site, enabled as Debian does it."""
        file = self.sites_available / name
        file.write_text(text)
        link = self.sites_enabled / name
        if not link.is_symlink():
            link.symlink_to(f"../{self.sites_available.name}/{name}")
        return link

    @property
    def command(self) -> tuple[str, ...]:
        binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
        return (binary, "-p", f"{self.folder}/", "-e", f"{self.folder}/error.log", "-c", str(self.conf))

    @property
    def test_command(self) -> tuple[str, ...]:
        return (*self.command, "-t")

    @property
    def reload_command(self) -> tuple[str, ...]:
        return (*self.command, "-s", "reload")

    def settings(self, data: Path, **more: Any) -> Settings:
        """Settings of an appliance that uses this NGINX."""
        base = Settings(
            data=data,
            nginx_sites_available=self.sites_available,
            nginx_sites_enabled=self.sites_enabled,
            nginx_test=self.test_command,
            nginx_reload=self.reload_command,
            nginx_listen=f"127.0.0.1:{self.port}",
            nginx_conf=self.conf,
        )
        return replace(base, **more)

    @property
    def environ(self) -> dict[str, str]:
        """The same as environment variables."""
        return {
            "HOMEPORT_NGINX_SITES_AVAILABLE": str(self.sites_available),
            "HOMEPORT_NGINX_SITES_ENABLED": str(self.sites_enabled),
            "HOMEPORT_NGINX_TEST": " ".join(self.test_command),
            "HOMEPORT_NGINX_RELOAD": " ".join(self.reload_command),
            "HOMEPORT_NGINX_LISTEN": f"127.0.0.1:{self.port}",
            "HOMEPORT_NGINX_CONF": str(self.conf),
        }

    def start(self) -> Self:
        began = run(self.command)
        assert began.ok, began.output
        wait_for(self.address)
        return self

    def reload(self) -> None:
        """Read the files again, and wait for the workers that had the old ones to end."""
        eventually(lambda: bool(self.workers))  # a master that has just begun may have none yet
        old = self.workers
        ran = run(self.reload_command)
        assert ran.ok, ran.output
        eventually(lambda: not old & self.workers)

    @property
    def workers(self) -> set[int]:
        return {int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()}

    def stop(self) -> None:
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: self.pid is None)

    @property
    def pid(self) -> int | None:
        try:
            return int((self.folder / "nginx.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    @property
    def log(self) -> str:
        return (self.folder / "error.log").read_text(errors="replace")

    @property
    def reloads(self) -> int:
        """How often its master was told to read its files again."""
        return self.log.count("signal 1 (SIGHUP) received")

    def ask(self, target: str | bytes = "/", host: str = "www.example.com", **more: Any) -> Answer:
        return ask(self.address, target, host, **more)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()


@contextmanager
def serving(app: Any, **more: Any) -> Iterator[Address]:
    """An ASGI app in a real Uvicorn, in a thread, on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False, proxy_headers=False, **more)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    address: Address = listener.getsockname()
    try:
        wait_for(address)
        yield address
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()


def wait_for(address: Address) -> None:
    """Until something answers there."""
    eventually(lambda: _open(address))


def _open(address: Address) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def eventually(done: Callable[[], bool]) -> None:
    assert until(done, PATIENCE), "It did not come about in time."


def tree_of(folder: Path) -> Mapping[str, bytes | str]:
    """Everything in a folder, byte for byte: links by where they lead."""
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}" if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
