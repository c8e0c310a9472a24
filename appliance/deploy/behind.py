"""Work that nobody waits for gives way to work that somebody does."""

import os
import threading
from contextlib import suppress
from time import monotonic

from appliance.context import Context
from appliance.store import deployments, jobs

LOOK_EVERY = 0.05  # seconds between two looks for a deployment that runs
PATIENCE = 60.0  # seconds that one piece of work holds still at most, all in all
NICE = 10


class Interrupted(Exception):
    """Homeport stops; what is left of the work is for the next start."""


class Pace:
    """Called between two pieces of work: holds still while a deployment runs, or a job that comes first."""

    def __init__(self, ctx: Context, after: str = "") -> None:
        self._ctx = ctx
        self._after = after
        self._next = 0.0
        self._held = 0.0

    def __call__(self) -> None:
        if self._ctx.stopping.is_set():
            raise Interrupted
        now = monotonic()
        if now < self._next:
            return
        while self._held < PATIENCE and self._somebody_waits():
            if self._ctx.stopping.wait(LOOK_EVERY):
                raise Interrupted
            self._held += LOOK_EVERY
        self._next = monotonic() + LOOK_EVERY

    def _somebody_waits(self) -> bool:
        """For a deployment, for what is found in one, or for an upload to arrive."""
        db = self._ctx.db.read()
        if deployments.any_running(db) or (self._after and jobs.any_running(db, self._after)):
            return True
        with os.scandir(self._ctx.data / "incoming") as incoming:
            return any(True for _ in incoming)


def be_modest() -> None:
    """This thread takes what the others leave of the processors."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
