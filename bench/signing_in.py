"""What others wait for while 20 people sign in at once, and what it costs to look who asks and whether they may."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.listing import SECONDS, load
from bench.tables import Row
from tests.appliance import EMAIL, PASSWORD, Appliance
from tests.servers import free_port, wait_for

CROWD = 20
ASKED = 400
PAUSE = 0.01  # seconds between two requests: somebody who clicks, not a load
UNLIMITED = {f"HOMEPORT_LIMIT_{name}": "0" for name in ("KEY", "PERSON", "ADDRESS", "TRIES")}


def rows(folder: Path, runs: int) -> list[Row]:
    with Appliance(folder / "data", **UNLIMITED) as ours:
        for n in range(50):
            ours.project(f"project-{n}")
        alone, crowded = [], []
        for _ in range(runs):
            alone.append(_slowest(ours))
            with _crowd(ours) as signed_in:
                crowded.append(_slowest(ours))
            assert signed_in() > 0
        with _unchecked(folder / "data", ours) as bare:
            pairs = [
                (_cost(_pid(ours), f"{ours.url}/api/v1/projects", ours.key), _cost(*bare, ours.key))
                for _ in range(runs)
            ]
    quiet, busy = sorted(alone)[runs // 2], sorted(crowded)[runs // 2]
    mine, theirs = (sorted(series)[runs // 2] for series in zip(*pairs, strict=True))
    return [
        Row(
            f"GET /api/v1/projects, slowest of 100, while {CROWD} sign in at once",
            f"{busy * 1000:.1f} ms",
            f"{quiet * 1000:.1f} ms with nobody signing in",
            f"{busy / quiet:.2f}",
            "2.0",
        ),
        Row(
            "processor time of GET /api/v1/projects, key and permission checked",
            f"{mine * 1e6:.0f} µs",
            f"{theirs * 1e6:.0f} µs with neither",
            f"{mine / theirs:.2f}",
            "1.1",
        ),
    ]


def _cost(pid: int, url: str, key: str) -> float:
    """Seconds of the processor for one request."""
    before = _spent(pid)
    answered = load(url, key) * SECONDS
    return (_spent(pid) - before) / answered


def _spent(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pid(ours: Appliance) -> int:
    assert ours.process is not None
    return ours.process.pid


def _slowest(ours: Appliance) -> float:
    """Of a hundred requests the one that waits longest."""
    took = []
    with httpx.Client(headers={"Authorization": f"Bearer {ours.key}"}, timeout=60) as client:
        client.get(f"{ours.url}/api/v1/projects")
        for _ in range(ASKED):
            began = time.perf_counter()
            client.get(f"{ours.url}/api/v1/projects").raise_for_status()
            took.append(time.perf_counter() - began)
            time.sleep(PAUSE)
    return sorted(took)[ASKED * 99 // 100]


@contextmanager
def _crowd(ours: Appliance) -> Iterator[Callable[[], int]]:
    """People who sign in again and again; says how many did."""
    over, done = threading.Event(), []

    def sign_in(_: int) -> None:
        with httpx.Client(timeout=120) as client:
            while not over.is_set():
                answer = client.post(f"{ours.url}/api/v1/login", json={"email": EMAIL, "password": PASSWORD})
                assert answer.status_code == 201, answer.text
                done.append(1)

    with ThreadPoolExecutor(CROWD) as pool:
        asking = [pool.submit(sign_in, number) for number in range(CROWD)]
        try:
            yield lambda: len(done)
        finally:
            over.set()
    for one in asking:
        one.result()


@contextmanager
def _unchecked(data: Path, ours: Appliance) -> Iterator[tuple[int, str]]:
    """The same program on the same data, with both checks taken out."""
    port = free_port()
    environ = {**os.environ, **UNLIMITED, "PORT": str(port), "DATA": str(data)}
    ours.stop()
    ours.start()
    with subprocess.Popen([sys.executable, "-m", "bench.unchecked"], env=environ) as bare:
        try:
            wait_for(("127.0.0.1", port))
            yield bare.pid, f"http://127.0.0.1:{port}/api/v1/projects"
        finally:
            bare.terminate()
