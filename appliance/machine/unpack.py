"""Makes a new folder of the files in a bundle, counting and checking every byte; what is here already is linked."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from time import monotonic

from isal import isal_zlib
from isal.igzip_lib import IsalError as Untyped

from appliance.errors import BadBundle, Cancelled, HomeportError, HostFailed, OutOfRoom
from appliance.machine import files, zipend
from appliance.machine.archive import Contents, Entry, Limits, check_size, in_bytes
from appliance.machine.shelf import Shelf
from appliance.machine.zipend import Source, damaged, shown
from appliance.machine.ziplist import STORED
from appliance.model.manifests import Piece, mtime

_WHOLE = 512 << 10  # a file up to this size is read, inflated and written in one go
_CHUNK = 64 << 10  # a larger one by so many bytes at a time: what fits the processor's cache
_SHARED = 16 << 10  # below this size, two threads lose more by taking turns in Python than they win
_BATCH_FILES, _BATCH_BYTES = 64, 4 << 20  # what a thread takes at once
LOOK_EVERY = 0.1  # seconds between two looks at progress and cancelling

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_MODE, _FOLDER_MODE = 0o444, 0o755

Tick = Callable[[], None]
Undeflatable: type[Exception] = Untyped  # type: ignore[assignment]


@dataclass(frozen=True)
class _Batch:
    """Some files of one folder."""

    folder: str
    entries: list[Entry]

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)


@dataclass
class _Work:
    """What the two threads share. Each counts in its own place, so that there is nothing to lock."""

    source: Source
    folder: Path
    root: int
    masked: bool  # whether the process's umask takes bits from what it creates
    small: Iterator[_Batch]
    large: Iterator[_Batch]  # shared; of a list, so that taking the next one is a single step
    shelf: int  # the content store
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
        kept = os.open(shelf.root, _FOLDER)
        try:
            small = _batches(entry for entry in contents.entries if entry.size < _SHARED)
            large = _batches(entry for entry in contents.entries if entry.size >= _SHARED)
            work = _Work(source, folder, root, masked, iter(small), iter(large), kept)
            watch = _Watch(work, on_progress, cancelled)
            watch()
            _make_folders(work, contents.folders, watch)
            if large and len(small) + len(large) > 1:
                _write_in_two(work, watch)
            else:
                _write_batches(work, chain(small, large), 0, watch)
            on_progress(contents.files)
            return work.found
        finally:
            os.close(kept)
            os.close(root)


def one_file(path: Path, entry: Entry) -> bytes:
    """The bytes of one file of a bundle."""
    try:
        with zipend.opened(path) as source:
            return b"".join(_pieces(source, entry))
    except Undeflatable as why:
        raise damaged(f'The data of "{shown(entry.path)}" is damaged.', entry.path) from why


def _check_room(contents: Contents, folder: Path) -> None:
    free = files.free_bytes(folder.parent)
    if free < contents.unpacked:
        raise _no_room(folder, f"it needs {in_bytes(contents.unpacked)}")


def _no_room(folder: Path, need: str) -> OutOfRoom:
    free = in_bytes(files.free_bytes(folder.parent))
    return OutOfRoom(
        f"The bundle can't be unpacked: {need}, and the disk of {folder.parent} has {free} left.",
        todo=("Free some space on that disk, or move the data folder to a larger one.",),
    )


def _new_root(folder: Path) -> tuple[int, bool]:
    """The new folder, open, and whether modes have to be set again because of a umask."""
    try:
        folder.mkdir(_FOLDER_MODE)
        root = os.open(folder, _FOLDER)
    except OSError as why:
        raise HostFailed(f"The folder {folder} can't be made: {why.strerror}.", code="no_folder") from why
    masked = os.fstat(root).st_mode & 0o777 != _FOLDER_MODE
    if masked:
        os.fchmod(root, _FOLDER_MODE)
    return root, masked


def _make_folders(work: _Work, folders: tuple[str, ...], watch: _Watch) -> None:
    for folder in folders:
        watch()
        try:
            os.mkdir(folder.encode(), _FOLDER_MODE, dir_fd=work.root)
            if work.masked:
                os.chmod(folder.encode(), _FOLDER_MODE, dir_fd=work.root)
        except OSError as why:
            raise _refused(work, folder, why) from why


def _batches(entries: Iterable[Entry]) -> list[_Batch]:
    """The files by folder, the most bytes first, so that no thread is left with a large one at the end."""
    folders: dict[str, list[Entry]] = {}
    for entry in entries:
        folders.setdefault(entry.path.rpartition("/")[0], []).append(entry)
    batches = [_Batch(folder, part) for folder, inside in folders.items() for part in _parts(inside)]
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
    """Write the large files in two threads, as inflating and system calls let another one run."""
    with ThreadPoolExecutor(1, "unpack") as pool:
        watch.other = other = pool.submit(_write_batches, work, work.large, 1, work.go_on)
        try:
            _write_batches(work, chain(work.small, work.large), 0, watch)
            while not other.done():
                wait([other], LOOK_EVERY)
                watch()
            other.result()
        finally:
            work.stop = True


def _write_batches(work: _Work, batches: Iterable[_Batch], lane: int, tick: Tick) -> None:
    for batch in batches:
        at = _open_folder(work, batch.folder)
        try:
            for entry in batch.entries:
                tick()
                _write(work, at, entry, tick)
                work.done[lane] += 1
        finally:
            os.close(at)


def _open_folder(work: _Work, folder: str) -> int:
    try:
        return os.open(folder.encode() or b".", _FOLDER, dir_fd=work.root)
    except OSError as why:
        raise _refused(work, folder, why) from why


def _write(work: _Work, at: int, entry: Entry, tick: Tick) -> None:
    name = entry.path.rpartition("/")[2].encode()
    try:
        if entry.size <= _WHOLE and entry.packed <= _WHOLE:
            data = _whole(work.source, entry)
            sha256 = hashlib.sha256(data).hexdigest()
            if not _linked(work, at, name, sha256):
                _create(work, at, name, data, sha256)
        else:
            sha256 = _stream(work, at, name, entry, tick)
    except Undeflatable as why:
        raise damaged(f'The data of "{shown(entry.path)}" is damaged.', entry.path) from why
    except OSError as why:
        raise _refused(work, entry.path, why) from why
    work.found[entry.path] = Piece(entry.size, sha256, entry.crc32)


def _linked(work: _Work, at: int, name: bytes, sha256: str) -> bool:
    """Whether the content was here already. Where it has all the links that a file may have, it is written anew."""
    try:
        os.link(f"{sha256[:2]}/{sha256}", name, src_dir_fd=work.shelf, dst_dir_fd=at)
    except OSError as why:
        if why.errno in (errno.ENOENT, errno.EMLINK):
            return False
        raise
    return True


def _create(work: _Work, at: int, name: bytes, data: bytes, sha256: str) -> None:
    handle = os.open(name, _NEW_FILE, _FILE_MODE, dir_fd=at)
    try:
        files.write_all(handle, data)
        _finish(work, handle, sha256)
    finally:
        os.close(handle)


def _finish(work: _Work, handle: int, sha256: str) -> None:
    moment = mtime(sha256) * 1_000_000_000
    if work.masked:
        os.fchmod(handle, _FILE_MODE)
    os.utime(handle, ns=(moment, moment))


def _whole(source: Source, entry: Entry) -> bytes:
    data = source.read(entry.offset, entry.packed)
    if entry.method != STORED:
        inflate = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
        data = inflate.decompress(data, entry.size + 1)  # one more than it may have: enough to catch a lie
        if len(data) <= entry.size and (not inflate.eof or inflate.unused_data):
            raise _cut(entry)
    _check(entry, len(data), isal_zlib.crc32(data))
    return data


def _stream(work: _Work, at: int, name: bytes, entry: Entry, tick: Tick) -> str:
    """Write a large file piece by piece; only then its content is known."""
    size = crc = 0
    content = hashlib.sha256()
    handle = os.open(name, _NEW_FILE, _FILE_MODE, dir_fd=at)
    try:
        for piece in _pieces(work.source, entry):
            size += len(piece)
            if size > entry.size:
                break
            crc = isal_zlib.crc32(piece, crc)
            content.update(piece)
            files.write_all(handle, piece)
            tick()
        _check(entry, size, crc)
        _finish(work, handle, content.hexdigest())
    finally:
        os.close(handle)
    return content.hexdigest()


def _pieces(source: Source, entry: Entry) -> Iterator[bytes]:
    """The bytes of a file, some at a time."""
    packed = _packed(source, entry)
    if entry.method == STORED:
        yield from packed
        return
    inflate = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
    while not inflate.eof:
        chunk = inflate.unconsumed_tail or next(packed, b"")
        piece = inflate.decompress(chunk, _CHUNK)
        if not chunk and not piece:
            raise _cut(entry)
        yield piece
    if inflate.unused_data or next(packed, b""):
        raise _cut(entry)


def _packed(source: Source, entry: Entry) -> Iterator[bytes]:
    end = entry.offset + entry.packed
    for at in range(entry.offset, end, _CHUNK):
        yield source.read(at, min(_CHUNK, end - at))


def _check(entry: Entry, size: int, crc: int) -> None:
    name = shown(entry.path)
    if size > entry.size:
        raise damaged(f'"{name}" holds more than the {entry.size:,} bytes that the zip says.', entry.path)
    if size < entry.size:
        raise damaged(f'"{name}" holds {size:,} bytes, and the zip says {entry.size:,}.', entry.path)
    if crc != entry.crc32:
        raise damaged(f'The content of "{name}" is not what was zipped: its CRC differs.', entry.path)


def _cut(entry: Entry) -> BadBundle:
    return damaged(f'The data of "{shown(entry.path)}" does not end where the zip says it does.', entry.path)


def _refused(work: _Work, name: str, why: OSError) -> HomeportError:
    """What the host said, as an error that names the entry."""
    if why.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(work.folder, f'there was no room for "{shown(name)}"')
    if why.errno == errno.EEXIST:
        return BadBundle(
            "twice",
            f'The disk of {work.folder.parent} takes "{shown(name)}" for the name of another entry.',
            entry=shown(name),
            todo=("Rename it and zip again.",),
        )
    return HostFailed(f'"{shown(name)}" can\'t be unpacked to {work.folder}: {why.strerror}.', code="not_unpacked")


def _stopped() -> Cancelled:
    return Cancelled("Unpacking was stopped.")
