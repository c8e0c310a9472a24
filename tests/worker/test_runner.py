"""Work goes on whatever happens to one job."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.context import Context
from appliance.deploy.submit import find_deployment
from appliance.events import DeploymentChanged, Event
from appliance.store import jobs
from appliance.worker import runner
from tests import inside


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        yield made


def test_a_poisoned_job_ends_and_the_next_one_runs(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def handle(_: Context, subject: str, attempts: int) -> None:
        if subject == "poison":
            raise ZeroDivisionError
        done.set()

    monkeypatch.setitem(runner.HANDLERS, "test", handle)
    with ctx.db.write() as db:
        for subject in ("poison", "poison", "poison", "poison", "poison", "wholesome"):
            jobs.add(db, "test", subject, queue="one", at=ctx.moment())
    with inside.working(ctx):
        assert done.wait(10)
    assert jobs.counts(ctx.db.read()) == {}


def test_a_deployment_that_met_a_fault_ends_and_whoever_waits_is_told(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError

    told = threading.Event()

    def hear(event: Event) -> None:
        if isinstance(event, DeploymentChanged) and find_deployment(ctx, event.deployment).over:
            told.set()

    monkeypatch.setattr("appliance.deploy.pipeline.inspect", fault)
    deployment = inside.upload(ctx, inside.project(ctx, "faulty"), {"index.html": "x"})
    ctx.bus.listen(hear)
    with inside.working(ctx):
        assert told.wait(10)
    after = find_deployment(ctx, deployment.id)
    assert after.status == "failed" and after.error is not None and after.error.code == "fault"
    assert [step.status for step in after.steps[:4]] == ["succeeded", "succeeded", "failed", "skipped"]
    assert "an error of its own" in (ctx.data / "logs" / f"{deployment.id}.log").read_text()


def test_a_locked_database_is_waited_for(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some other process holds the lock longer than SQLite waits."""
    monkeypatch.setattr(runner, "PAUSE", 0.05)
    done, busy = threading.Event(), threading.Event()

    def handle(_: Context, subject: str, attempts: int) -> None:
        done.set()

    monkeypatch.setitem(runner.HANDLERS, "test", handle)
    other = sqlite3.connect(ctx.db.path, isolation_level=None)
    with ctx.db.write() as db:
        jobs.add(db, "test", "x", queue="one", at=ctx.moment())
        writer = db
    writer.execute("PRAGMA busy_timeout = 20")
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(runner, "logger", Heard(busy))
    with inside.working(ctx):
        assert busy.wait(10), "the lock was met"
        assert not done.is_set()
        other.execute("ROLLBACK")
        assert done.wait(10)
    other.close()


def test_a_lock_when_a_job_ends_does_not_hold_up_its_queue_for_good(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is done once, and its row goes as soon as the database can be written again."""
    monkeypatch.setattr(runner, "PAUSE", 0.05)
    ran: list[str] = []
    busy, second = threading.Event(), threading.Event()
    other = sqlite3.connect(ctx.db.path, isolation_level=None, check_same_thread=False)

    def handle(_: Context, subject: str, attempts: int) -> None:
        ran.append(subject)
        if subject == "first":
            other.execute("BEGIN IMMEDIATE")
        else:
            second.set()

    monkeypatch.setitem(runner.HANDLERS, "test", handle)
    with ctx.db.write() as db:
        for subject in ("first", "second"):
            jobs.add(db, "test", subject, queue="one", at=ctx.moment())
        writer = db
    writer.execute("PRAGMA busy_timeout = 20")
    monkeypatch.setattr(runner, "logger", Heard(busy))
    with inside.working(ctx):
        assert busy.wait(10)
        other.execute("ROLLBACK")
        assert second.wait(10)
    other.close()
    assert ran == ["first", "second"]
    assert jobs.counts(ctx.db.read()) == {}


class Heard:
    """A log that says when something was written to it."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def exception(self, *_: object) -> None:
        self._event.set()

    warning = exception
