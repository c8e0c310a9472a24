"""Killed in the middle, then started again: one release is live, whole, and every deployment has ended."""

import random
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.appliance import Appliance, zipped
from tests.servers import eventually

FINAL = {"succeeded", "failed", "cancelled", "skipped"}
STEPS = ("unpack", "inspect", "publish", "probe", "mark live", "tidy")
POINTS = [*STEPS, *(f"after {step}" for step in STEPS), "settle", "after settle"]


def site(word: str, files: int = 400) -> dict[str, str | bytes]:
    return {"index.html": word, **{f"many/{n}.txt": f"{word} {n}\n" * 20 for n in range(files)}}


def wait_until_over(server: Appliance, deployment: str) -> str:
    """Wait by following the log, which ends with the deployment."""
    server.ask("GET", f"/deployments/{deployment}/log?follow=1")
    status: str = server.get(f"/deployments/{deployment}")["status"]
    return status


@pytest.mark.slow
def test_killed_at_every_step(tmp_path: Path) -> None:
    """The process dies by SIGKILL where a step begins, or where it has done its work."""
    with Appliance(tmp_path / "data") as server:
        server.project("blog")
        for number, point in enumerate(POINTS):
            server.stop()
            server.environ["HOMEPORT_FAULT"] = f"kill:{point}"
            process = server.start().process
            assert process is not None
            started = server.send("blog", zipped(site(point)), wait=None).json()
            process.wait(20)
            del server.environ["HOMEPORT_FAULT"]
            server.start()
            assert wait_until_over(server, started["id"]) == "succeeded"
            assert started["number"] == number + 1
            whole(server, point)
            assert_nothing_left(server)


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Twelve kills at moments spread over a deployment: visitors get one whole release, and never a mixture."""
    moments = random.Random(7)
    with Appliance(tmp_path / "data") as server:
        server.project("blog")
        server.deploy("blog", site("release 0"))
        for number in range(1, 13):
            killer = threading.Timer(moments.uniform(0.01, 0.5), server.kill)
            killer.start()
            try:
                started = server.send("blog", zipped(site(f"release {number}")), wait=None).json()
            except httpx.HTTPError:
                started = None
            killer.join()
            server.start()
            if started:
                assert wait_until_over(server, started["id"]) == "succeeded"
            for one in server.get("/deployments?limit=200")["items"]:
                assert wait_until_over(server, one["id"]) in FINAL
            live = server.get("/projects/blog/environments/production")["live"]
            word = server.visit("blog").text
            assert word == f"release {number}" or started is None
            assert live["live"] and live["status"] == "succeeded"
            whole(server, word)
            assert_nothing_left(server)


def whole(server: Appliance, word: str, files: int = 400) -> None:
    assert server.visit("blog").text == word
    for n in (0, files // 2, files - 1):
        assert server.visit("blog", f"/many/{n}.txt").text == f"{word} {n}\n" * 20


def assert_nothing_left(server: Appliance) -> None:
    """No file that no row knows."""
    data = server.data
    assert list((data / "incoming").iterdir()) == []
    assert [path.name for path in (data / "releases").iterdir() if path.name.startswith(".")] == []
    known = {one["bundle"] for one in server.get("/deployments?limit=200")["items"]}
    assert {path.stem for path in (data / "bundles").glob("*/*.zip")} <= known
    with closing(sqlite3.connect(data / "homeport.db")) as db:
        releases = {name for (name,) in db.execute("SELECT name FROM releases")}
    assert {path.name.removesuffix(".json") for path in (data / "releases").iterdir()} == releases
    eventually(lambda: not list((data / "files").glob("??/.*")))  # jobs after a deployment make some for a moment


def test_asked_to_end_it_finishes_what_is_in_hand(tmp_path: Path) -> None:
    with Appliance(tmp_path / "data") as server:
        server.project("blog")
        started = server.send("blog", zipped(site("new", 3000)), wait=None).json()
        assert server.stop() == 0
        server.start()
        assert wait_until_over(server, started["id"]) == "succeeded"
        assert server.visit("blog").text == "new"
        assert "begins again" not in server.log(started["id"])


def test_a_stream_ends_when_the_process_does(fresh: Appliance) -> None:
    fresh.project("blog")
    with httpx.stream("GET", f"{fresh.url}/healthz") as answer:
        answer.read()
    began = time.monotonic()
    assert fresh.stop() == 0
    assert time.monotonic() - began < 15
