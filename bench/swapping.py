"""Rollback and promotion behind NGINX: from the request until NGINX serves the other content, and under load."""

import re
import subprocess
import threading
import time
from pathlib import Path

from bench.tables import Row
from tests.appliance import Appliance
from tests.servers import Nginx

HOST, STAGING = "bench.example.com", "staging.example.com"
FILES = 500
SWAPS = 1_000
PLACE = "/projects/bench/environments/production"


def rows(folder: Path, runs: int) -> list[Row]:
    with (
        Nginx(folder / "nginx") as nginx,
        Appliance(folder / "data", **nginx.environ, HOMEPORT_BACKEND="nginx") as ours,
    ):
        ours.project("bench")
        first, second = (ours.deploy("bench", _site(word))["id"] for word in ("first", "second"))
        ours.ask("POST", "/projects/bench/environments", json={"name": "staging"})
        _ = [ours.deploy("bench", _site(word), "staging") for word in ("third",)]
        url = ours.ask("POST", f"{PLACE}/urls?wait=20", json={"host": HOST}).json()
        assert url["status"] == "active", url
        backs, ahead = [], []
        for turn in range(4 * runs):
            to, word = ((first, "first"), (second, "second"))[turn % 2]
            backs.append(_timed(ours, nginx, "rollback", {"to": to}, word))
        for _ in range(runs):
            ahead.append(_timed(ours, nginx, "promote", {"from": "staging"}, "third"))
            _timed(ours, nginx, "rollback", {"to": second}, "second")
        failed, answered, took = _under_load(ours, nginx, first, second)
    return [
        _row("rollback, request to new content served", backs),
        _row("promotion, request to new content served", ahead),
        Row(f"{SWAPS:,} swaps under load, failed requests", f"{failed} of {answered:,}", "", "", "0"),
        Row("the same, a swap", f"{1000 * took / SWAPS:.0f} ms", "", "", ""),
    ]


def _site(word: str) -> dict[str, str | bytes]:
    return {"index.html": word, **{f"{n}.txt": f"{word} {n}" for n in range(FILES)}}


def _timed(ours: Appliance, nginx: Nginx, verb: str, body: dict[str, str], word: str) -> float:
    """Asked, then looked at until it is there."""
    began = time.perf_counter()
    answer = ours.ask("POST", f"{PLACE}/{verb}", json=body)
    assert answer.status_code == 202, answer.text
    while nginx.ask("/", HOST).body.decode() != word:
        assert time.perf_counter() - began < 20, f"{word} never came"
    took = time.perf_counter() - began
    _over(ours, answer.json()["id"])
    return took


def _over(ours: Appliance, deployment: str) -> None:
    ours.ask("GET", f"/deployments/{deployment}/log?follow=1")


def _under_load(ours: Appliance, nginx: Nginx, first: str, second: str) -> tuple[int, int, float]:
    """wrk on NGINX from before the first swap until after the last."""
    argv = ["wrk", "-t1", "-c8", "-d3600s", "-H", f"Host: {HOST}", f"http://{nginx.address[0]}:{nginx.address[1]}/"]
    load = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(load.stdout or ()))
    reader.start()
    began = time.perf_counter()
    for turn in range(SWAPS):
        answer = ours.ask("POST", f"{PLACE}/rollback?wait=30", json={"to": (first, second)[turn % 2]})
        assert answer.status_code == 201, answer.text
    took = time.perf_counter() - began
    load.send_signal(2)  # its figures come with the interrupt
    reader.join()
    load.wait()
    said = "".join(lines)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    answered = re.search(r"(\d+) requests in", said)
    assert answered is not None, said
    failed = (int(bad[1]) if bad else 0) + (sum(map(int, errors.groups())) if errors else 0)
    return failed, int(answered[1]), took


def _row(what: str, series: list[float]) -> Row:
    middle = sorted(series)[len(series) // 2]
    return Row(what, f"{middle * 1000:.0f} ms", "", "", "100 ms")
