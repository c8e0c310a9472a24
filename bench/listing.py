"""Requests for the list of projects, against a bare Starlette handler with the same bytes."""

import os
import re
import subprocess
import sys
from pathlib import Path

from bench.tables import Row
from tests.appliance import Appliance
from tests.servers import free_port, wait_for

PROJECTS = 50
SECONDS = 3


def rows(folder: Path, runs: int) -> list[Row]:
    with Appliance(folder / "data", HOMEPORT_LIMIT_KEY="0") as ours:
        for n in range(PROJECTS):
            ours.project(f"project-{n}")
        body = folder / "body.json"
        body.write_bytes(ours.ask("GET", "/projects").content)
        port = free_port()
        environ = {**os.environ, "PORT": str(port), "BODY": str(body)}
        with subprocess.Popen([sys.executable, "-m", "bench.bare"], env=environ) as bare:
            try:
                wait_for(("127.0.0.1", port))
                pairs = [
                    (load(f"{ours.url}/api/v1/projects", ours.key), load(f"http://127.0.0.1:{port}/", ours.key))
                    for _ in range(runs)
                ]
            finally:
                bare.terminate()
    mine, theirs = (sorted(series)[runs // 2] for series in zip(*pairs, strict=True))
    return [
        Row("GET /api/v1/projects, 50 of them", f"{mine:,.0f}/s", f"{theirs:,.0f}/s", f"{mine / theirs:.2f}", "0.5")
    ]


def load(url: str, key: str) -> float:
    """Requests a second."""
    argv = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-H", f"Authorization: Bearer {key}", url]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None, said
    return float(found[1])
