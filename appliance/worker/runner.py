"""Threads that claim jobs and do them; the one place where anything at all is caught."""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from appliance.access import forgotten, mail, outbox
from appliance.backups import take
from appliance.context import Context
from appliance.deploy import compress, pipeline, releases
from appliance.deploy.behind import be_modest
from appliance.deploy.xray import after
from appliance.events import Event, JobAdded
from appliance.machine import clock
from appliance.model.jobs import Job
from appliance.notify import deliver
from appliance.projects import certificate_jobs, certificate_steps, domain, edits, settle, url_jobs
from appliance.store import jobs
from appliance.store.db import NotNow
from appliance.worker import timers

LEASE = timedelta(seconds=60)
BEAT_EVERY = 15.0
PAUSE = 5.0  # seconds, when not even the database can be used
LONGEST = 600.0  # seconds between two tries
SOON = 1.0
IDLE = 30.0  # look again this often even when nobody says that there is work
HANDLERS: dict[str, Callable[[Context, str, int], None]] = {
    "deploy": pipeline.deploy,
    "release.settle": releases.settle,
    releases.FORGET: releases.forget_gone,
    "xray": after.finish,
    "compress": compress.compress,
    "backup": take.take,
    "place.move": settle.move,
    "hosts.settle": settle.settle,
    "url.restore": edits.write_anew,
    "domain.settle": domain.settle,
    certificate_steps.KIND: certificate_jobs.obtain,
    mail.KIND: mail.deliver,
    forgotten.KIND: forgotten.send_link,
    outbox.KIND: deliver.deliver,
}
TOGETHER: dict[str, Callable[[Context, Sequence[Job]], Mapping[int, url_jobs.TryLater]]] = {
    "url.attach": url_jobs.attach,
    "url.detach": url_jobs.detach,
}  # all that are due are done in one go; each says for itself whether it has to be tried again
AFTER_A_FAULT = {
    "deploy": pipeline.end_in_fault,
    "xray": after.end_in_fault,
    "url.attach": url_jobs.end_in_fault,
    "url.restore": url_jobs.end_in_fault,
    "domain.settle": domain.end_in_fault,
    "backup": take.end_in_fault,
    outbox.KIND: deliver.end_in_fault,
    certificate_steps.KIND: certificate_jobs.end_in_fault,
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
            self._begin(self._turn, f"worker-{number}")
        for kind in jobs.BEHIND:
            self._begin(partial(self._turn_behind, kind), kind)
        self._begin(self._beat, "heartbeat")
        self._begin(partial(timers.keep_looking, self._ctx), "timers")

    def stop(self, patience: float = 60.0) -> bool:
        """Take no new work and finish what is in hand; says whether everything ended in time."""
        with self._work:
            self._stopping = True
            self._work.notify_all()
        self._ctx.stopping.set()
        self._forget()
        for thread in self._threads:
            thread.join(patience)
        return not any(thread.is_alive() for thread in self._threads)

    def _begin(self, turn: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=self._keep_on, args=(turn,), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _hear(self, event: Event) -> None:
        if isinstance(event, JobAdded):
            with self._work:
                self._news += 1
                self._work.notify_all()

    def _keep_on(self, turn: Callable[[], None]) -> None:
        """A turn that fails, as when the database stays locked or the disk is full, is followed by another."""
        while not self._stopping:
            try:
                turn()
            except Exception:
                logger.exception("%s will go on in a moment", threading.current_thread().name)
                self._ctx.stopping.wait(PAUSE)

    def _turn_behind(self, kind: str) -> None:
        if kind != outbox.KIND:  # it waits for others, and computes next to nothing
            be_modest()
        self._turn(kind)

    def _turn(self, behind: str | None = None) -> None:
        with self._work:
            seen = self._news
        claimed = self._claim(behind)
        if claimed:
            self._do(claimed)
            return
        with self._work:
            if self._news == seen and not self._stopping:
                self._work.wait(self._until_next())

    def _claim(self, behind: str | None) -> list[Job]:
        """One job, or of some kinds all that are due."""
        now = self._ctx.now()
        at, until = clock.text(now), clock.text(now + LEASE)
        with self._ctx.db.write() as db:
            first = jobs.claim(db, self._name, at, until, behind)
            found = [first] if first else []
            if first and first.kind in TOGETHER:
                found += jobs.claim_along(db, first, self._name, at, until)
        self._running.update(job.id for job in found)
        return found

    def _do(self, claimed: list[Job]) -> None:
        kind = claimed[0].kind
        try:
            later = self._handle(kind, claimed)
        except Exception:
            logger.exception("job %s %s failed", kind, ", ".join(job.subject for job in claimed))
            for job in claimed:
                self._insist(partial(self._give_up, job))
        else:
            self._insist(partial(self._ended, claimed, later))
        finally:
            self._running.difference_update(job.id for job in claimed)
            self._ctx.bus.publish(JobAdded())  # the next one in its queue may start

    def _handle(self, kind: str, claimed: list[Job]) -> Mapping[int, url_jobs.TryLater]:
        if kind in TOGETHER:
            return TOGETHER[kind](self._ctx, claimed)
        (job,) = claimed
        try:
            HANDLERS[kind](self._ctx, job.subject, job.attempts)
        except url_jobs.TryLater as why:
            return {job.id: why}
        return {}

    def _insist(self, note: Callable[[], None]) -> None:
        """What became of a job has to be written down, however long that takes: its queue waits for it."""
        while True:
            try:
                return note()
            except NotNow:
                if self._stopping:
                    raise
                logger.exception("what became of a job can't be written now; it is tried again")
                self._ctx.stopping.wait(PAUSE)

    def _ended(self, claimed: list[Job], later: Mapping[int, url_jobs.TryLater]) -> None:
        with self._ctx.db.write() as db:
            for job in claimed:
                if why := later.get(job.id):
                    jobs.again(db, job.id, self._next_try(job, why), self._ctx.redact(why.detail))
                else:
                    jobs.done(db, job.id)

    def _next_try(self, job: Job, why: url_jobs.TryLater) -> str:
        """Ever later, and not before the other side wants to hear of it again."""
        wait = timedelta(seconds=min(max(2.0 ** min(job.attempts, 10), why.retry_after), LONGEST))
        return clock.text(self._ctx.now() + wait)

    def _give_up(self, job: Job) -> None:
        """A fault of ours: the job ends, and whoever waits for it is told."""
        if job.kind in AFTER_A_FAULT:
            AFTER_A_FAULT[job.kind](self._ctx, job.subject)
        self._ended([job], {})

    def _beat(self) -> None:
        with self._work:
            self._work.wait(BEAT_EVERY)
        until = clock.text(self._ctx.now() + LEASE)
        if running := tuple(self._running):
            with self._ctx.db.write() as db:
                for job_id in running:
                    jobs.beat(db, job_id, self._name, until)

    def _until_next(self) -> float:
        """Work that is due waits for its queue, or has become due since it was looked for."""
        due = jobs.next_at(self._ctx.db.read())
        wait = (clock.parse(due) - self._ctx.now()).total_seconds() if due else IDLE
        return min(wait, IDLE) if wait > 0 else SOON
