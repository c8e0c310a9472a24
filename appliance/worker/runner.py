"""Threads that claim jobs and do them; the one place where anything at all is caught."""

import logging
import os
import threading
from collections.abc import Callable
from datetime import timedelta

from appliance.context import Context
from appliance.deploy import pipeline
from appliance.events import Event, JobAdded
from appliance.machine import clock
from appliance.model.deployments import Failure
from appliance.model.jobs import Job
from appliance.projects import settle, url_jobs
from appliance.store import deployments, jobs

LEASE = timedelta(seconds=60)
BEAT_EVERY = 15.0
LONGEST = 600.0  # seconds between two tries
IDLE = 30.0  # look again this often even when nobody says that there is work
HANDLERS = {
    "deploy": pipeline.deploy,
    "url.attach": url_jobs.attach,
    "url.detach": url_jobs.detach,
    "place.move": settle.move,
    "hosts.settle": settle.settle,
}
logger = logging.getLogger("homeport.worker")


class Runner:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._name = f"{os.getpid()}"
        self._work = threading.Condition()
        self._news = 0
        self._stopping = False
        self._running: set[int] = set()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._forget = self._ctx.bus.listen(self._hear)
        for number in range(self._ctx.settings.workers):
            self._begin(self._loop, f"worker-{number}")
        self._begin(self._beat, "heartbeat")

    def stop(self, patience: float = 60.0) -> bool:
        """Take no new work and finish what is in hand; says whether everything ended in time."""
        with self._work:
            self._stopping = True
            self._work.notify_all()
        self._forget()
        for thread in self._threads:
            thread.join(patience)
        return not any(thread.is_alive() for thread in self._threads)

    def _begin(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _hear(self, event: Event) -> None:
        if isinstance(event, JobAdded):
            with self._work:
                self._news += 1
                self._work.notify_all()

    def _loop(self) -> None:
        while not self._stopping:
            with self._work:
                seen = self._news
            job = self._claim()
            if job is not None:
                self._do(job)
                continue
            with self._work:
                if self._news == seen and not self._stopping:
                    self._work.wait(self._until_next())

    def _claim(self) -> Job | None:
        now = self._ctx.now()
        with self._ctx.db.write() as db:
            job = jobs.claim(db, self._name, clock.text(now), clock.text(now + LEASE))
        if job is not None:
            self._running.add(job.id)
        return job

    def _do(self, job: Job) -> None:
        try:
            HANDLERS[job.kind](self._ctx, job.subject, job.attempts)
        except url_jobs.TryLater as why:
            self._later(job, why)
        except Exception:
            logger.exception("job %s %s failed", job.kind, job.subject)
            self._give_up(job)
        else:
            self._done(job)
        finally:
            self._running.discard(job.id)
            self._ctx.bus.publish(JobAdded())  # the next one in its queue may start

    def _done(self, job: Job) -> None:
        with self._ctx.db.write() as db:
            jobs.done(db, job.id)

    def _later(self, job: Job, why: url_jobs.TryLater) -> None:
        """Ever later, and not before the other side wants to hear of it again."""
        wait = timedelta(seconds=min(max(2.0 ** min(job.attempts, 10), why.retry_after), LONGEST))
        with self._ctx.db.write() as db:
            jobs.again(db, job.id, clock.text(self._ctx.now() + wait), self._ctx.redact(why.detail))

    def _give_up(self, job: Job) -> None:
        """A fault of ours: the job ends, and whoever waits for it is told."""
        with self._ctx.db.write() as db:
            jobs.done(db, job.id)
            if job.kind == "deploy":
                deployments.finish(db, job.subject, "failed", self._ctx.moment(), FAULT)

    def _beat(self) -> None:
        while not self._stopping:
            with self._work:
                self._work.wait(BEAT_EVERY)
            until = clock.text(self._ctx.now() + LEASE)
            for job_id in tuple(self._running):
                with self._ctx.db.write() as db:
                    jobs.beat(db, job_id, self._name, until)

    def _until_next(self) -> float:
        """Work that is due but waits for its queue is announced when the queue is free."""
        due = jobs.next_at(self._ctx.db.read())
        wait = (clock.parse(due) - self._ctx.now()).total_seconds() if due else IDLE
        return min(wait, IDLE) if wait > 0 else IDLE


FAULT = Failure(
    "fault",
    "Homeport met an error of its own. What was live stays live.",
    ("Try again.", "If it happens again, report it with the lines around it from Homeport's journal."),
)
