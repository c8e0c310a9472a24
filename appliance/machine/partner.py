"""A process that writes files beside this one: another core's share of unpacking."""

import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.errors import HomeportError
from appliance.machine import process, zipend
from appliance.machine.archive import Entry
from appliance.machine.writing import FOLDER, Batch, Place, write
from appliance.machine.zipend import Source
from appliance.model.manifests import Piece

_WHOLE_LIFE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import appliance.machine.partner as it; it.live()"
)
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_PATIENCE = 60  # seconds that one is kept awake for the next bundle


class Gone(Exception):
    """The other process is not there any more, and this batch with it."""

    def __init__(self, batch: Batch | None) -> None:
        super().__init__("the other process ended")
        self.batch = batch


class Partner:
    """This side of it. One question at a time."""

    def __init__(self) -> None:
        words = (sys.executable, "-I", "-S", "-c", _WHOLE_LIFE, json.dumps(sys.path))
        self._child = process.beside(words)
        self._until: threading.Timer | None = None

    @property
    def alive(self) -> bool:
        return self._child.alive

    def open(self, zip_file: Path, place: Place) -> None:
        """Where the next batches come from and go to."""
        self._ask([str(zip_file), str(place.folder), f"/proc/{os.getpid()}/fd/{place.shelf}", place.masked], None)

    def write(self, batch: Batch) -> dict[str, Piece] | None:
        """What was written; None when any of it was refused."""
        names = self._ask([batch.folder, batch.entries], batch)
        if names is None:
            return None
        return {
            entry.path: Piece(entry.size, name, entry.crc32) for entry, name in zip(batch.entries, names, strict=True)
        }

    def close(self) -> None:
        """Let go of the zip and the folder."""
        self._ask([], None)

    def stop(self) -> None:
        """Whatever it is in the middle of; a question that waits for its answer hears that it is gone."""
        self._child.stop()

    def end(self) -> None:
        self._child.end()

    def rest(self) -> None:
        """Until it is needed again, but not for ever."""
        self._until = threading.Timer(_PATIENCE, _send_away, [self])
        self._until.daemon = True
        self._until.start()

    def wake(self) -> None:
        if self._until:
            self._until.cancel()

    def _ask(self, question: list[Any], batch: Batch | None) -> Any:
        try:
            return json.loads(self._child.ask(json.dumps(question).encode() + b"\n"))
        except (OSError, EOFError, ValueError) as why:
            raise Gone(batch) from why


class _Pool:
    """One for each core but this one. Who finds none does it alone."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.resting: list[Partner] = []
        self.busy = 0

    def take(self) -> Partner | None:
        with self.lock:
            self._forget_dead()
            if not self.resting and self.busy >= len(os.sched_getaffinity(0)) - 1:
                return None
            found = self.resting.pop() if self.resting else Partner()
            self.busy += 1
        found.wake()
        return found

    def give_back(self, one: Partner) -> None:
        with self.lock:
            self.busy -= 1
            self.resting.append(one)
            one.rest()

    def lose(self, one: Partner) -> None:
        with self.lock:
            self.busy -= 1
        one.end()

    def remove(self, one: Partner) -> bool:
        with self.lock:
            if one not in self.resting:
                return False
            self.resting.remove(one)
            return True

    def _forget_dead(self) -> None:
        for one in [one for one in self.resting if not one.alive]:
            self.resting.remove(one)
            one.wake()
            one.end()


_POOL = _Pool()


@contextmanager
def lent() -> Iterator[Partner | None]:
    """One for the length of the block; one that went through it well is there for the next."""
    one = _POOL.take()
    if one is None:
        yield None
        return
    try:
        yield one
        one.close()
    except Gone:
        _POOL.lose(one)
    except BaseException:
        _POOL.lose(one)
        raise
    else:
        _POOL.give_back(one)


def call() -> None:
    """Have one awake, for something that is on its way. Only from a thread that stays: it would die with it."""
    one = _POOL.take()
    if one:
        _POOL.give_back(one)


def send_all_away() -> None:
    """Those that rest; the others are ended by who has them."""
    for one in list(_POOL.resting):
        one.wake()
        _send_away(one)


def _send_away(one: Partner) -> None:
    if _POOL.remove(one):
        one.end()


def live() -> None:
    """The other side of it: places, and batches for each, until nobody asks any more."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    asked = iter(sys.stdin.buffer)
    for line in asked:
        if where := json.loads(line):
            _work_at(where, asked)
        _answer(True)


def _work_at(where: Sequence[Any], asked: Iterator[bytes]) -> None:
    zip_file, folder, shelf, masked = where
    with zipend.opened(Path(zip_file)) as source, _opened(source, Path(folder), shelf, masked=masked) as place:
        _answer(True)
        for line in asked:
            if not (batch := json.loads(line)):
                break
            within, entries = batch
            _answer(_written(place, Batch(within, [Entry(*entry) for entry in entries])))


@contextmanager
def _opened(source: Source, folder: Path, shelf: str, *, masked: bool) -> Iterator[Place]:
    root = os.open(folder, FOLDER)
    try:
        kept = os.open(shelf, FOLDER & ~os.O_NOFOLLOW)
        try:
            yield Place(source, folder, root, kept, masked)
        finally:
            os.close(kept)
    finally:
        os.close(root)


def _written(place: Place, batch: Batch) -> list[str] | None:
    try:
        return [piece.sha256 for _, piece in write(place, batch, lambda: None)]
    except (HomeportError, OSError):
        return None


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
