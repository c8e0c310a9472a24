"""Adding a site beside 1,000 others: through Homeport's API, and through the admin API of caddy's file server.

It is no race of equals, and says what it can: Homeport tests the change in NGINX's whole configuration, writes it down
for the next start, looks at the new site and at some of the others, and keeps a record of who did it. Caddy keeps its
configuration in memory, provisions all of it anew, and answers when it is in force; its automatic HTTPS is off.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench import urls
from bench.tables import Row, compared
from tests.servers import Address, ask, free_port, wait_for

SITES = 1_000


def rows(folder: Path, runs: int) -> list[Row]:
    if shutil.which("caddy") is None:
        print("caddy is not on this machine: apt-get install caddy", file=sys.stderr)
        return []
    with urls.crowded(folder, SITES) as (nginx, ours), _caddy(folder) as (admin, address):
        mine, theirs = [], []
        for n in range(runs):
            mine.append(urls.add(ours, nginx, f"new{n}.example.com"))
            theirs.append(_add(admin, address, folder / "site", f"new{n}.example.com"))
    return [compared(f"add a site beside {SITES:,}, against caddy's admin API", mine, theirs, "1.0")]


@contextmanager
def _caddy(folder: Path) -> Iterator[tuple[str, Address]]:
    (folder / "site").mkdir()
    (folder / "site/index.html").write_text("a site of caddy's")
    admin, address = f"127.0.0.1:{free_port()}", ("127.0.0.1", free_port())
    routes = [_route(folder / "site", f"h{n}.example.com") for n in range(SITES)]
    server = {"listen": [f"{address[0]}:{address[1]}"], "automatic_https": {"disable": True}, "routes": routes}
    config = {
        "admin": {"listen": admin, "config": {"persist": True}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": {"http": {"servers": {"sites": server}}},
    }
    file = folder / "caddy.json"
    file.write_text(json.dumps(config))
    environ = {"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    with subprocess.Popen(["caddy", "run", "--config", file], env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(address)
            yield f"http://{admin}", address
        finally:
            process.terminate()


def _route(root: Path, host: str) -> dict[str, Any]:
    return {"match": [{"host": [host]}], "handle": [{"handler": "file_server", "root": str(root)}]}


def _add(admin: str, address: Address, root: Path, host: str) -> float:
    """From the request to the answer that it is in force; then seen to be so."""
    began = time.perf_counter()
    answer = httpx.post(f"{admin}/config/apps/http/servers/sites/routes", json=_route(root, host), timeout=60)
    took = time.perf_counter() - began
    assert answer.status_code == 200, answer.text
    assert ask(address, "/", host).body == b"a site of caddy's"
    return took
