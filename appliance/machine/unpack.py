"""Makes a new folder of the files in a bundle, counting and checking every byte."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from appliance.errors import Cancelled, HostFailed
from appliance.machine import files, partner, zipend
from appliance.machine.archive import Contents, Entry, Limits, check_size, in_bytes
from appliance.machine.partner import Gone, Partner
from appliance.machine.shelf import Shelf
from appliance.machine.writing import FOLDER, Batch, Place, no_room, read, refused, write
from appliance.model.manifests import Piece

_BATCH_FILES, _BATCH_BYTES = 64, 4 << 20  # what is taken at once
_MANY_FILES, _MANY_BYTES = 100, 1 << 20  # from here on two are quicker than one
_WORTH_A_CALL = 256 << 10  # bytes of a zip
LOOK_EVERY = 0.1  # seconds between two looks at progress and cancelling

_FOLDER_MODE = 0o755


@dataclass
class _Work:
    """What is shared. Each side counts in its own place, so that there is nothing to lock."""

    zip: Path
    place: Place
    batches: Iterator[Batch]  # of a list, so that taking the next one is a single step
    found: dict[str, Piece] = field(default_factory=dict)
    done: list[int] = field(default_factory=lambda: [0, 0])
    stop: bool = False

    def go_on(self) -> None:
        if self.stop:
            raise _stopped()


class _Watch:
    """Now and then tells how far it is and asks whether to stop; only ever in the caller's thread."""

    def __init__(self, work: _Work, on_progress: Callable[[int], None], cancelled: Callable[[], bool]) -> None:
        self._work, self._on_progress, self._cancelled = work, on_progress, cancelled
        self._next = 0.0
        self.other: Future[None] | None = None

    def __call__(self) -> None:
        now = monotonic()
        if now < self._next:
            return
        self._next = now + LOOK_EVERY
        if self._cancelled():
            raise _stopped()
        if self.other and self.other.done():
            self.other.result()
        self._on_progress(sum(self._work.done))


def unpack(
    path: Path,
    contents: Contents,
    folder: Path,
    *,
    shelf: Shelf,
    limits: Limits,
    on_progress: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> dict[str, Piece]:
    """Make the folder, and say what is in it. When this raises, what is there by then is the caller's to remove."""
    check_size(contents, limits)
    _check_room(contents, folder)
    with zipend.opened(path) as source:
        root, masked = _new_root(folder)
        kept = os.open(shelf.root, FOLDER)
        try:
            batches = _batches(contents.entries)
            work = _Work(path, Place(source, folder, root, kept, masked), iter(batches))
            watch = _Watch(work, on_progress, cancelled)
            watch()
            _make_folders(work.place, contents.folders, watch)
            if len(batches) > 1 and (contents.files >= _MANY_FILES or contents.unpacked >= _MANY_BYTES):
                _write_in_two(work, watch)
            else:
                _write_here(work, 0, watch)
            on_progress(contents.files)
            return work.found
        finally:
            os.close(kept)
            os.close(root)


def get_ready(packed: int) -> None:
    """A zip of so many bytes is on its way."""
    if packed >= _WORTH_A_CALL:
        partner.call()


def one_file(path: Path, entry: Entry) -> bytes:
    """The bytes of one file of a bundle."""
    with zipend.opened(path) as source:
        return read(source, entry)


def _check_room(contents: Contents, folder: Path) -> None:
    free = files.free_bytes(folder.parent)
    if free < contents.unpacked:
        raise no_room(folder, f"it needs {in_bytes(contents.unpacked)}")


def _new_root(folder: Path) -> tuple[int, bool]:
    """The new folder, open, and whether modes have to be set again because of a umask."""
    try:
        folder.mkdir(_FOLDER_MODE)
        root = os.open(folder, FOLDER)
    except OSError as why:
        raise HostFailed(f"The folder {folder} can't be made: {why.strerror}.", code="no_folder") from why
    masked = os.fstat(root).st_mode & 0o777 != _FOLDER_MODE
    if masked:
        os.fchmod(root, _FOLDER_MODE)
    return root, masked


def _make_folders(place: Place, folders: tuple[str, ...], watch: _Watch) -> None:
    for folder in folders:
        watch()
        try:
            os.mkdir(folder.encode(), _FOLDER_MODE, dir_fd=place.root)
            if place.masked:
                os.chmod(folder.encode(), _FOLDER_MODE, dir_fd=place.root)
        except OSError as why:
            raise refused(place, folder, why) from why


def _batches(entries: Iterable[Entry]) -> list[Batch]:
    """The files by folder, the most bytes first, so that nobody is left with a large one at the end."""
    folders: dict[str, list[Entry]] = {}
    for entry in entries:
        folders.setdefault(entry.path.rpartition("/")[0], []).append(entry)
    batches = [Batch(folder, part) for folder, inside in folders.items() for part in _parts(inside)]
    return sorted(batches, key=lambda batch: batch.size, reverse=True)


def _parts(entries: list[Entry]) -> Iterator[list[Entry]]:
    part, size = [], 0
    for entry in entries:
        part.append(entry)
        size += entry.size
        if len(part) == _BATCH_FILES or size >= _BATCH_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _write_in_two(work: _Work, watch: _Watch) -> None:
    """Here and in another process: two threads of one would lose more by taking turns in Python than they win."""
    with partner.lent() as other:
        if other is None:
            _write_here(work, 0, watch)
        else:
            _write_with(other, work, watch)


def _write_with(one: Partner, work: _Work, watch: _Watch) -> None:
    with ThreadPoolExecutor(1, "unpack") as pool:
        watch.other = other = pool.submit(_write_there, work, one)
        try:
            _write_here(work, 0, watch)
            while not other.done():
                wait([other], LOOK_EVERY)
                watch()
            other.result()
        except BaseException:
            work.stop = True
            one.stop()
            raise


def _write_here(work: _Work, side: int, tick: Callable[[], None]) -> None:
    for batch in work.batches:
        _write_batch(work, batch, side, tick)


def _write_batch(work: _Work, batch: Batch, side: int, tick: Callable[[], None]) -> None:
    for path, piece in write(work.place, batch, tick):
        work.found[path] = piece
        work.done[side] += 1


def _write_there(work: _Work, one: Partner) -> None:
    """A batch that the other one could not do is done again here, where what is wrong with it can be said."""
    try:
        one.open(work.zip, work.place)
        for batch in work.batches:
            work.go_on()
            found = one.write(batch)
            if found is None:
                _begin_again(work, batch)
            else:
                work.found.update(found)
                work.done[1] += len(found)
    except Gone as gone:
        if gone.batch:
            _begin_again(work, gone.batch)
        _write_here(work, 1, work.go_on)


def _begin_again(work: _Work, batch: Batch) -> None:
    work.go_on()
    for entry in batch.entries:
        (work.place.folder / entry.path).unlink(missing_ok=True)
    _write_batch(work, batch, 1, work.go_on)


def _stopped() -> Cancelled:
    return Cancelled("Unpacking was stopped.")
