"""Adding a URL beside 10,000 others, to answering, against NGINX's own reload of the same files."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.app import open_context
from appliance.context import Context
from appliance.deploy.places import backend_of, site_of
from appliance.model.urls import Part
from appliance.settings import Settings
from appliance.store import environments, urls
from bench.tables import Row, compared
from tests.appliance import Appliance
from tests.servers import Nginx

URLS = 10_000
PROJECTS = 50
PATIENCE = 120.0


def rows(folder: Path, runs: int) -> list[Row]:
    with crowded(folder, URLS) as (nginx, ours):
        pairs = [
            (add(ours, nginx, f"new-{n}.example.com"), _reload(nginx, f"own-{n}.example.com")) for n in range(runs)
        ]
    mine, theirs = zip(*pairs, strict=True)
    return [compared(f"add one URL beside {URLS:,}, to answering", list(mine), list(theirs), "1.5")]


@contextmanager
def crowded(folder: Path, count: int) -> Iterator[tuple[Nginx, Appliance]]:
    """An NGINX and an appliance with this many URLs in force."""
    with Nginx(folder / "nginx") as nginx:
        ours = Appliance(folder / "data", HOMEPORT_BACKEND="nginx", **nginx.environ)
        with ours:
            for n in range(PROJECTS):
                ours.project(f"project-{n}")
                ours.deploy(f"project-{n}", {"index.html": f"project {n}"})
            ours.stop()
            _fill(nginx.settings(folder / "data", backend="nginx", port=ours.port), count)
            ours.start()
            add(ours, nginx, "first.example.com")  # what a start has to do is over by then
            yield nginx, ours


def _fill(settings: Settings, count: int) -> None:
    """As if they had been added one by one."""
    ctx = open_context(settings)
    try:
        those = [one for one in environments.everyone(ctx.db.read()) if one.live]
        for n, place in enumerate(those):
            _in_force(ctx, place.id, _hosts(n, count, len(those)))
        sites = [(site_of(ctx, place), host) for n, place in enumerate(those) for host in _hosts(n, count, len(those))]
        refused = backend_of(ctx, those[0]).attach_many(sites, _silent)
        assert not refused, next(iter(refused.values())).detail
    finally:
        ctx.db.close()


def _hosts(first: int, count: int, step: int) -> list[str]:
    return [f"h{k}.example.com" for k in range(first, count, step)]


def _in_force(ctx: Context, environment_id: int, hosts: list[str]) -> None:
    with ctx.write() as db:
        for host in hosts:
            urls.add(db, host, environment_id, proxied=None, at=ctx.moment(), by="bench")
            urls.set_state(db, host, "active")
            urls.set_nginx(db, host, Part("ok", "In force"))


def add(ours: Appliance, nginx: Nginx, host: str) -> float:
    """From the request to the answer that it is active; then seen to be so."""
    began = time.perf_counter()
    path = f"/projects/project-1/environments/production/urls?wait={PATIENCE:.0f}"
    url = ours.ask("POST", path, json={"host": host}, timeout=PATIENCE).json()
    took = time.perf_counter() - began
    assert url["status"] == "active", url
    assert nginx.ask("/", host).body == b"project 1"
    return took


def _reload(nginx: Nginx, host: str) -> float:
    """From `nginx -s reload` to the first answer of a worker that knows a site written by hand just before."""
    (nginx.sites_enabled / f"{host}.conf").write_text(
        f"server {{ listen 127.0.0.1:{nginx.port}; server_name {host}; return 200 {host}; }}\n"
    )
    began = time.perf_counter()
    subprocess.run(nginx.reload_command, check=True, capture_output=True)
    while nginx.ask("/", host).body != host.encode():
        time.sleep(0.005)
    return time.perf_counter() - began


def _silent(text: str) -> None:
    """Nobody reads the log of a bench."""
