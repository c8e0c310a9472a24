"""One writer, many readers, and nothing half done."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.access.actor import OPERATOR
from appliance.app import open_context
from appliance.context import Context
from appliance.model.projects import NewProject
from appliance.projects.create_project import create_project
from appliance.settings import Settings
from appliance.store import projects, saved
from appliance.store.db import Database, NotNow


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    made = open_context(Settings(data=tmp_path / "data", backend="builtin"))
    yield made
    made.db.close()


class Stop(Exception):
    pass


def test_a_transaction_that_fails_leaves_nothing(ctx: Context) -> None:
    with pytest.raises(Stop), ctx.db.write() as db:  # noqa: PT012 - the block is what fails
        projects.add(db, "half", ctx.moment(), "me")
        raise Stop
    assert projects.find(ctx.db.read(), "half") is None
    with ctx.db.write() as db:
        projects.add(db, "whole", ctx.moment(), "me")
    assert projects.find(ctx.db.read(), "whole") is not None


def test_an_operation_that_fails_late_leaves_nothing(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("appliance.projects.create_project.record", no_room)
    with pytest.raises(sqlite3.OperationalError):
        create_project(ctx, OPERATOR, NewProject("half"))
    assert projects.count(ctx.db.read()) == 0


def test_a_commit_that_fails_does_not_stop_the_next_one(ctx: Context) -> None:
    with pytest.raises(sqlite3.IntegrityError), ctx.db.write() as db:  # noqa: PT012 - its end is what fails
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.execute("INSERT INTO environments (project_id, name, backend, created_at) VALUES (99, 'x', 'builtin', '')")
    with ctx.db.write() as db:
        projects.add(db, "next", ctx.moment(), "me")
    assert projects.find(ctx.db.read(), "next") is not None


def test_a_reader_can_not_write(ctx: Context) -> None:
    with pytest.raises(sqlite3.OperationalError):
        projects.add(ctx.db.read(), "sly", ctx.moment(), "me")


def test_readers_see_what_was_committed_and_never_what_was_not(ctx: Context) -> None:
    with ctx.db.write() as db:
        projects.add(db, "soon", ctx.moment(), "me")
        assert projects.find(ctx.db.read(), "soon") is None
    assert projects.find(ctx.db.read(), "soon") is not None


def test_writers_wait_for_each_other(ctx: Context) -> None:
    names = [f"p{number}" for number in range(40)]
    several(8, lambda number: [create_project(ctx, OPERATOR, NewProject(name)) for name in names[number::8]])
    assert [one.name for one in projects.search(ctx.db.read(), limit=100).items] == sorted(names)


def test_threads_that_have_ended_hold_no_files_open(ctx: Context) -> None:
    several(8, lambda _: [projects.count(ctx.db.read())])
    most = open_files(ctx) + 8  # SQLite itself keeps some for the next that opens
    for _ in range(8):
        several(8, lambda _: [projects.count(ctx.db.read())])
    assert open_files(ctx) <= most


def test_a_setting_counts_at_once_in_every_thread(ctx: Context) -> None:
    """SQLite's change counter is each connection's own, so one thread's tells another nothing."""
    seen: list[str] = []
    several(1, lambda _: [ctx.settings])
    with ctx.db.write() as db:
        saved.save(db, "dns_target", "192.0.2.1", ctx.moment(), "me")
    several(1, lambda _: seen.append(ctx.settings.dns_target))
    assert seen == ["192.0.2.1"]


def test_another_process_can_change_a_setting(ctx: Context) -> None:
    assert ctx.settings.dns_target == ""
    other = Database(ctx.db.path)
    with other.write() as db:
        saved.save(db, "dns_target", "192.0.2.9", ctx.moment(), "another")
    other.close()
    assert ctx.settings.dns_target == "192.0.2.9"


def test_closing_waits_for_whoever_writes(ctx: Context) -> None:
    """A connection that is closed under a thread that uses it takes the whole process down."""
    writing, ended = threading.Event(), threading.Event()

    def write() -> None:
        with ctx.db.write() as db:
            writing.set()
            for number in range(300):
                projects.add(db, f"p{number}", "", "")
            ended.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert writing.wait(10)
    ctx.db.close()
    assert ended.is_set()
    thread.join(10)
    with pytest.raises(NotNow), ctx.db.write():
        pass


def several(count: int, act: Callable[[int], object]) -> None:
    """Run it in so many new threads at once, and hear of what went wrong in any."""
    ready = threading.Barrier(count)

    def run(number: int) -> None:
        ready.wait(10)
        act(number)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(run, range(count)))


def open_files(ctx: Context) -> int:
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return sum(1 for link in links if os.path.lexists(link) and str(ctx.db.path) in os.readlink(link))
