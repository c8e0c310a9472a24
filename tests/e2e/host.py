"""A host as people have it: NGINX with someone else's site on it, a Cloudflare account, an appliance that uses both."""

import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from appliance.machine.served import until
from tests.appliance import Appliance
from tests.fakes.cloudflare import FakeCloudflare
from tests.servers import Answer, Nginx, tree_of

HERE = "192.0.2.7"
ZONE = "example.com"
PATIENCE = 30.0
_SHOP = """\
server {{
    listen 127.0.0.1:{port};
    server_name
        shop.example.com
        www.shop.example.com;
    return 200 "someone else's shop\\n";
}}
"""


class Host:
    """NGINX is told to reload by a script, so that a test can make it say no."""

    def __init__(self, folder: Path, backend: str = "nginx") -> None:
        self.nginx = Nginx(folder / "etc")
        self.cloudflare = FakeCloudflare()
        self.reload_script = folder / "reload.sh"
        self.shop = self.nginx.site("shop.conf", _SHOP.format(port=self.nginx.port))
        self.reload_does("exec {reload}")
        self.cloudflare.add_zone(ZONE)
        self.server = Appliance(
            folder / "data",
            **{
                **self.nginx.environ,
                "HOMEPORT_BACKEND": backend,
                "HOMEPORT_NGINX_RELOAD": str(self.reload_script),
                "HOMEPORT_CLOUDFLARE_API": self.cloudflare.url,
                "HOMEPORT_CLOUDFLARE_TOKEN": self.cloudflare.token.secret,
                "HOMEPORT_DNS_TARGET": HERE,
            },
        )

    def __enter__(self) -> Self:
        self.nginx.start()
        self.cloudflare.__enter__()
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, why, trace)
        self.cloudflare.__exit__(kind, why, trace)
        self.nginx.stop()

    @contextmanager
    def broken_site(self) -> Iterator[Path]:
        """Someone else's, with a third line that NGINX refuses, until the end."""
        link = self.nginx.site(
            "broken.conf", f"server {{\n    listen 127.0.0.1:{self.nginx.port};\n    lisssten 81;\n}}\n"
        )
        try:
            yield link
        finally:
            link.unlink()
            (self.nginx.sites_available / "broken.conf").unlink()

    def reload_does(self, script: str) -> None:
        fresh = self.reload_script.with_suffix(".new")  # the one before may be running
        fresh.write_text(f"#!/bin/sh\n{script.format(reload=' '.join(self.nginx.reload_command))}\n")
        fresh.chmod(0o755)
        fresh.replace(self.reload_script)

    @property
    def data(self) -> Path:
        return self.server.data

    def live(self, project: str, body: str | None = None) -> str:
        """A project with something live in it."""
        self.server.project(project)
        self.server.deploy(project, {"index.html": body or f"I am {project}"})
        return project

    def add(self, project: str, host: str, environment: str = "production", *, wait: int = 20, **more: Any) -> Any:
        """Add a URL and wait for what becomes of it."""
        path = f"/projects/{project}/environments/{environment}/urls?wait={wait}"
        answer = self.server.ask("POST", path, json={"host": host, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def remove(self, project: str, host: str, environment: str = "production") -> None:
        answer = self.server.ask("DELETE", f"/projects/{project}/environments/{environment}/urls/{host}")
        assert answer.status_code == 204, answer.text

    def check(self, host: str, wait: int = 20) -> Any:
        answer = self.server.ask("POST", f"/urls/{host}/check?wait={wait}")
        assert answer.status_code == 202, answer.text
        return answer.json()

    def url(self, host: str) -> Any:
        """Its row, or None; one that says `active` before it is, fails any test."""
        found = next((one for one in self.urls if one["host"] == host), None)
        if found and found["status"] == "active":
            assert found["nginx"]["status"] == "ok" and found["dns"]["status"] == "ok", found
        return found

    @property
    def urls(self) -> list[Any]:
        found: list[Any] = self.server.get("/urls?limit=200")["items"]
        return found

    def becomes(self, host: str, status: str) -> Any:
        """Wait for a status."""
        assert until(lambda: self.url(host)["status"] == status, PATIENCE), self.url(host)
        return self.url(host)

    def says(self, host: str, words: str) -> Any:
        """Wait until these words are in its error."""
        assert until(lambda: words in (self.url(host)["error"] or ""), PATIENCE), self.url(host)
        return self.url(host)

    def ask(self, host: str, path: str = "/") -> Answer:
        return self.nginx.ask(path, host)

    def body(self, host: str) -> str:
        return self.ask(host).body.decode()

    def files(self, host: str) -> tuple[Path, ...]:
        """Everything that a URL has on this host: its file, and a link in each folder."""
        link = f"homeport-{host}.conf"
        return self.data / f"nginx/{host}.conf", self.nginx.sites_available / link, self.nginx.sites_enabled / link

    def answers(self, host: str) -> bool:
        """Whether NGINX has a site for it."""
        return self.body(host) != "the default site\n"

    def records(self, host: str) -> list[tuple[str, str, bool]]:
        return [(one.type, one.content, one.proxied) for one in self.cloudflare.at(host)]

    def in_force(self, host: str, body: str) -> bool:
        """File, links, answer and record, all of it."""
        file, *links = self.files(host)
        linked = [os.readlink(link) if link.is_symlink() else "" for link in links] == [str(file)] * 2
        return file.is_file() and linked and self.body(host) == body and bool(self.records(host))

    def is_gone(self, host: str) -> bool:
        """Not a trace of it."""
        left = [path for path in self.files(host) if os.path.lexists(path)]
        return not (left or self.answers(host) or self.records(host) or self.url(host))

    def others(self) -> Mapping[str, object]:
        """Everything of NGINX that is not ours to touch."""
        folders = (self.nginx.sites_available, self.nginx.sites_enabled, self.nginx.conf_d)
        files = {folder.name: tree_of(folder) for folder in folders}
        return {"main": self.nginx.conf.read_bytes(), **files}

    @property
    def jobs(self) -> int:
        """How many there are, waiting or running."""
        answer = self.server.http.get(
            f"{self.server.url}/metrics", headers={"Authorization": f"Bearer {self.server.key}"}
        )
        counts = re.findall(r"^homeport_jobs\{.*\} (\d+)$", answer.text, re.MULTILINE)
        assert counts, answer.text
        return sum(map(int, counts))

    def activity(self, verb: str) -> list[Any]:
        return [one for one in self.server.get("/activity?limit=200")["items"] if one["verb"] == verb]

    def start_again(self, fault: str = "") -> None:
        """Whatever became of the process before; with a fault, it kills itself there."""
        self.server.stop()
        if fault:
            self.server.environ["HOMEPORT_FAULT"] = f"kill:{fault}"
        self.server.start()
        self.server.environ.pop("HOMEPORT_FAULT", None)

    @contextmanager
    def dying(self) -> Iterator[None]:
        """What is asked of it here, or was before, comes to its fault."""
        process = self.server.process
        assert process is not None
        with suppress(httpx.TransportError):
            yield
        assert process.wait(PATIENCE) == -signal.SIGKILL
        self.server.process = None
