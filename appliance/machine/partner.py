"""A second process that writes files beside this one: the other core's share of unpacking."""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

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


class Gone(Exception):
    """The other process is not there any more, and this batch with it."""

    def __init__(self, batch: Batch | None) -> None:
        super().__init__("the other process ended")
        self.batch = batch


class Partner:
    """This side of it. One question at a time."""

    def __init__(self) -> None:
        words = (sys.executable, "-I", "-S", "-c", _WHOLE_LIFE, json.dumps(sys.path))
        self._child = process.beside(words) if len(os.sched_getaffinity(0)) > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child:
            self._child.end()

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

    def stop(self) -> None:
        """Whatever it is in the middle of; a question that waits for its answer hears that it is gone."""
        if self._child:
            self._child.stop()

    def _ask(self, question: list[Any], batch: Batch | None) -> Any:
        try:
            if self._child is None:
                raise EOFError
            return json.loads(self._child.ask(json.dumps(question).encode() + b"\n"))
        except (OSError, EOFError, ValueError) as why:
            raise Gone(batch) from why


def live() -> None:
    """The other side of it: a place, then batches, until nobody asks any more."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    zip_file, folder, shelf, masked = json.loads(sys.stdin.buffer.readline())
    with zipend.opened(Path(zip_file)) as source:
        place = _place(source, Path(folder), shelf, masked=masked)
        _answer(True)
        for line in sys.stdin.buffer:
            within, entries = json.loads(line)
            _answer(_written(place, Batch(within, [Entry(*entry) for entry in entries])))


def _place(source: Source, folder: Path, shelf: str, *, masked: bool) -> Place:
    return Place(source, folder, os.open(folder, FOLDER), os.open(shelf, FOLDER & ~os.O_NOFOLLOW), masked)


def _written(place: Place, batch: Batch) -> list[str] | None:
    try:
        return [piece.sha256 for _, piece in write(place, batch, lambda: None)]
    except (HomeportError, OSError):
        return None


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
