"""From the command to the first answer, warm and first ever; memory when idle."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from bench.tables import Row, alone
from tests.servers import free_port


def rows(folder: Path, runs: int) -> list[Row]:
    built = Path(os.environ["HOMEPORT_TEST_FILE"])
    first = [_start(built, folder / f"first-{n}")[0] for n in range(runs)]
    warm, memory = zip(*[_start(built, folder / "first-0") for _ in range(runs)], strict=True)
    return [
        alone("start to first answer, first ever", first, "4"),
        alone("start to first answer, warm", list(warm), "1.5"),
        alone("memory when idle", list(memory), "90", unit="MB"),
    ]


def _start(built: Path, data: Path) -> tuple[float, float]:
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HOMEPORT_", "PYTHON"))}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, built, "serve", "--data", data, "--port", str(port)], env=environ, stdout=subprocess.DEVNULL
    ) as process:
        try:
            _wait(port)
            took = time.perf_counter() - began
            time.sleep(1)
            resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        finally:
            process.terminate()
    return took, resident / 1e6


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.005)
    raise AssertionError("it did not start")
