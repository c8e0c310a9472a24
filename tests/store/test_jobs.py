"""Jobs are claimed once each, and one at a time in each queue."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.context import Context
from appliance.machine import clock
from appliance.store import jobs
from tests import inside

NOW, LATER = "2027-01-31T00:00:00.000Z", "2027-01-31T01:00:00.000Z"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made:
        yield made


def add(ctx: Context, subject: str, queue: str = "one", at: str = NOW) -> None:
    with ctx.db.write() as db:
        jobs.add(db, "test", subject, queue=queue, at=at)


def claimed(ctx: Context, at: str = NOW) -> str | None:
    with ctx.db.write() as db:
        job = jobs.claim(db, "me", at, LATER)
    return job.subject if job else None


def test_eight_workers_share_the_work_and_never_a_queue(ctx: Context) -> None:
    with ctx.db.write() as db:
        for number in range(120):
            jobs.add(db, "test", str(number), queue=f"queue {number % 5}", at=NOW)
    start, busy = threading.Barrier(8), Counter[str]()
    order: list[int] = []
    crowded: list[str] = []

    def work(_: int) -> None:
        start.wait(10)
        while True:
            with ctx.db.write() as db:
                job = jobs.claim(db, "me", NOW, LATER)
            if job is None:
                if not jobs.counts(ctx.db.read()):
                    return
                continue
            busy[job.queue] += 1
            if busy[job.queue] > 1:
                crowded.append(job.queue)
            order.append(int(job.subject))
            busy[job.queue] -= 1
            with ctx.db.write() as db:
                jobs.done(db, job.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert sorted(order) == list(range(120)), "each once"
    assert crowded == []
    for queue in range(5):
        assert [one for one in order if one % 5 == queue] == list(range(queue, 120, 5)), "in order"


def test_what_runs_holds_up_its_queue_and_no_other(ctx: Context) -> None:
    add(ctx, "first", "a")
    add(ctx, "second", "a")
    add(ctx, "other", "b")
    assert (claimed(ctx), claimed(ctx), claimed(ctx)) == ("first", "other", None)


def test_what_waits_for_its_time_holds_nobody_up(ctx: Context) -> None:
    add(ctx, "later", at=LATER)
    add(ctx, "now")
    assert (claimed(ctx), claimed(ctx)) == ("now", None)
    assert jobs.next_at(ctx.db.read()) == LATER


def test_a_beat_is_for_whoever_holds_the_job(ctx: Context) -> None:
    add(ctx, "x")
    with ctx.db.write() as db:
        job = jobs.claim(db, "me", NOW, LATER)
        assert job is not None and job.attempts == 1
        assert jobs.beat(db, job.id, "me", LATER)
        assert not jobs.beat(db, job.id, "another", LATER)
        jobs.again(db, job.id, NOW, "not yet")
        assert not jobs.beat(db, job.id, "me", LATER)
        again = jobs.claim(db, "another", NOW, LATER)
    assert again is not None and again.attempts == 2


def test_after_a_start_nothing_is_running(ctx: Context) -> None:
    add(ctx, "x")
    assert claimed(ctx) == "x"
    with ctx.db.write() as db:
        assert jobs.reclaim(db) == 1
    assert claimed(ctx) == "x"


def test_what_is_dropped_is_never_what_runs(ctx: Context) -> None:
    add(ctx, "x")
    assert claimed(ctx) == "x"
    add(ctx, "x")
    with ctx.db.write() as db:
        jobs.drop(db, "test", "x")
    assert jobs.counts(ctx.db.read()) == {"running": 1}


def test_ids_sort_as_they_were_made() -> None:
    made = [clock.new_id() for _ in range(200)]
    assert len(set(made)) == 200
    pairs = zip(made[::20], made[20::20], strict=False)
    assert all(earlier < later for earlier, later in pairs)
    assert all(len(one) == 20 and one.isalnum() and one == one.lower() for one in made)
