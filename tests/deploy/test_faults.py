"""The fault matrix: whatever fails, wherever, what was live stays live, whole, and the next deployment works.

Killing is in test_kill.py, a disk that is really full in test_full_disk.py, NGINX that says no in tests/nginx.
"""

import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.context import Context
from appliance.deploy import paths, releases
from appliance.machine import clock, faults
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from tests import inside
from tests.servers import eventually

STEPS = ("unpack", "inspect", "publish", "probe", "mark live", "tidy")
BEFORE = [point for step in STEPS[:5] for point in (step, f"after {step}")][:-1]
LIVE_BY_THEN = ["after mark live", "tidy", "after tidy", "settle", "after settle"]
HOWS = ("enospc", "eio", "erofs", "locked")
FOLDERS = ("releases", "sites", "files", "bundles", "logs")
SITE = {f"many/{number}.txt": f"{number}\n" * 20 for number in range(60)}


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made, inside.listening(made), inside.working(made):
        yield made


@pytest.fixture
def place(ctx: Context) -> Environment:
    return inside.project(ctx, "blog")


def ended(ctx: Context, place: Environment, word: str) -> Deployment:
    started = inside.upload(ctx, place, {"index.html": word, **SITE})
    eventually(lambda: inside.state(ctx, started).over)
    return inside.state(ctx, started)


def shown(ctx: Context) -> str:
    """What a visitor gets, having looked at the whole of it."""
    top = paths.pointer(ctx, "blog", "production")
    assert {str(file.relative_to(top)): file.read_text() for file in (top / "many").iterdir()} == SITE
    return (top / "index.html").read_text()


def nothing_is_left(ctx: Context) -> None:
    def idle() -> bool:
        (jobs,) = ctx.db.read().execute("SELECT count(*) FROM jobs").fetchone()
        return int(jobs) == 0

    eventually(idle)
    assert [one.name for one in (ctx.data / "releases").iterdir() if one.name.startswith(".")] == []
    assert list((ctx.data / "files").glob("??/.*")) == []
    assert list((ctx.data / "incoming").iterdir()) == []
    (open_entries,) = ctx.db.read().execute("SELECT count(*) FROM journal WHERE status = 'begun'").fetchone()
    assert open_entries == 0


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("point", BEFORE)
def test_it_fails_before_it_is_live(
    how: str, point: str, ctx: Context, place: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(ctx, place, "first").status == "succeeded"
    with monkeypatch.context() as patch:
        patch.setattr(faults, "_WANTED", f"{how}:{point}")
        failed = ended(ctx, place, "second")
    assert failed.status == "failed" and failed.error is not None
    assert failed.error.detail and failed.error.todo
    assert "Traceback" not in failed.error.detail
    assert shown(ctx) == "first"
    assert ended(ctx, place, "third").status == "succeeded"
    assert shown(ctx) == "third"
    nothing_is_left(ctx)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("point", LIVE_BY_THEN)
def test_it_fails_once_it_is_live(
    how: str, point: str, ctx: Context, place: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(ctx, place, "first").status == "succeeded"
    with monkeypatch.context() as patch:
        patch.setattr(faults, "_WANTED", f"{how}:{point}")
        assert ended(ctx, place, "second").status == "succeeded"
        nothing_is_left(ctx)
    assert shown(ctx) == "second"
    assert ended(ctx, place, "third").status == "succeeded"
    assert shown(ctx) == "third"


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A real one: the kernel says no, to root as well."""
    bound = subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True, check=False)
    if os.geteuid() != 0 or bound.returncode != 0:
        pytest.skip("a folder can't be bound read-only by this user")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_can_only_be_read(name: str, ctx: Context, place: Environment) -> None:
    assert ended(ctx, place, "first").status == "succeeded"
    nothing_is_left(ctx)
    with read_only(ctx.data / name):
        if name == "bundles":
            with pytest.raises(OSError, match="Read-only"):
                inside.upload(ctx, place, {"index.html": "second", **SITE})
        else:
            after = ended(ctx, place, "second")
            expected = "failed" if name in ("releases", "sites") else "succeeded"
            assert after.status == expected, after.error
            assert shown(ctx) == ("first" if expected == "failed" else "second")
    assert ended(ctx, place, "third").status == "succeeded"
    assert shown(ctx) == "third"
    nothing_is_left(ctx)


def test_a_database_that_others_hold(ctx: Context, place: Environment) -> None:
    """It is waited for, and nothing is lost."""
    assert ended(ctx, place, "first").status == "succeeded"
    started = inside.upload(ctx, place, {"index.html": "second", **SITE})
    with closing(sqlite3.connect(ctx.db.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Event().wait(1.0)
        other.execute("ROLLBACK")
    eventually(lambda: inside.state(ctx, started).over)
    assert inside.state(ctx, started).status == "succeeded"
    assert shown(ctx) == "second"


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)], ids=["back", "ahead"])
def test_a_clock_that_jumps(jump: timedelta, ctx: Context, place: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a deployment: it ends, what comes after it comes after it, and goes back to it."""
    assert ended(ctx, place, "first").status == "succeeded"
    keep = releases.keep

    def then_it_jumps(*given: object) -> str:
        ctx.now = lambda: clock.now() + jump
        return keep(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(releases, "keep", then_it_jumps)
        second = ended(ctx, place, "second")
    assert second.status == "succeeded" and shown(ctx) == "second"
    third = ended(ctx, place, "third")
    assert (third.status, third.number) == ("succeeded", second.number + 1)
    assert shown(ctx) == "third"
    nothing_is_left(ctx)
