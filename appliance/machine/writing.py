"""Writes files of a zip into a folder, each checked byte by byte; a content that is here already is linked."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from isal import isal_zlib
from isal.igzip_lib import IsalError as Untyped

from appliance.errors import BadBundle, HomeportError, HostFailed, OutOfRoom
from appliance.machine import files
from appliance.machine.archive import Entry, in_bytes
from appliance.machine.zipend import Source, damaged, shown
from appliance.machine.ziplist import STORED
from appliance.model.manifests import Piece, mtime

_WHOLE = 512 << 10  # a file up to this size is read, inflated and written in one go
_CHUNK = 64 << 10  # a larger one by so many bytes at a time: what fits the processor's cache

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_MODE = 0o444

Tick = Callable[[], None]
Undeflatable: type[Exception] = Untyped  # type: ignore[assignment]


@dataclass(frozen=True)
class Batch:
    """Some files of one folder."""

    folder: str
    entries: list[Entry]

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True)
class Place:
    """From where to where."""

    source: Source
    folder: Path
    root: int
    shelf: int  # the content store
    masked: bool  # whether the process's umask takes bits from what it creates


def write(place: Place, batch: Batch, tick: Tick) -> Iterator[tuple[str, Piece]]:
    """Each file as it is there, by its path."""
    at = _open_folder(place, batch.folder)
    try:
        for entry in batch.entries:
            tick()
            yield entry.path, _write(place, at, entry, tick)
    finally:
        os.close(at)


def read(source: Source, entry: Entry) -> bytes:
    """The bytes of one file of a bundle."""
    try:
        return b"".join(_pieces(source, entry))
    except Undeflatable as why:
        raise damaged(f'The data of "{shown(entry.path)}" is damaged.', entry.path) from why


def _open_folder(place: Place, folder: str) -> int:
    try:
        return os.open(folder.encode() or b".", FOLDER, dir_fd=place.root)
    except OSError as why:
        raise refused(place, folder, why) from why


def _write(place: Place, at: int, entry: Entry, tick: Tick) -> Piece:
    name = entry.path.rpartition("/")[2].encode()
    try:
        if entry.size <= _WHOLE and entry.packed <= _WHOLE:
            data = _whole(place.source, entry)
            sha256 = hashlib.sha256(data).hexdigest()
            if not _linked(place, at, name, sha256):
                _create(place, at, name, data, sha256)
        else:
            sha256 = _stream(place, at, name, entry, tick)
    except Undeflatable as why:
        raise damaged(f'The data of "{shown(entry.path)}" is damaged.', entry.path) from why
    except OSError as why:
        raise refused(place, entry.path, why) from why
    return Piece(entry.size, sha256, entry.crc32)


def _linked(place: Place, at: int, name: bytes, sha256: str) -> bool:
    """Whether the content was here already. Where no more links can be made, it is written anew."""
    kept = f"{sha256[:2]}/{sha256}"
    if not os.access(kept, os.F_OK, dir_fd=place.shelf):  # quicker than to be refused
        return False
    try:
        os.link(kept, name, src_dir_fd=place.shelf, dst_dir_fd=at)
    except OSError as why:
        if why.errno in (errno.ENOENT, errno.EMLINK, errno.EXDEV):
            return False
        raise
    return True


def _create(place: Place, at: int, name: bytes, data: bytes, sha256: str) -> None:
    handle = os.open(name, _NEW_FILE, _FILE_MODE, dir_fd=at)
    try:
        files.write_all(handle, data)
        _finish(place, handle, sha256)
    finally:
        os.close(handle)


def _finish(place: Place, handle: int, sha256: str) -> None:
    moment = mtime(sha256) * 1_000_000_000
    if place.masked:
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


def _stream(place: Place, at: int, name: bytes, entry: Entry, tick: Tick) -> str:
    """Write a large file piece by piece; only then its content is known."""
    size = crc = 0
    content = hashlib.sha256()
    handle = os.open(name, _NEW_FILE, _FILE_MODE, dir_fd=at)
    try:
        for piece in _pieces(place.source, entry):
            size += len(piece)
            if size > entry.size:
                break
            crc = isal_zlib.crc32(piece, crc)
            content.update(piece)
            files.write_all(handle, piece)
            tick()
        _check(entry, size, crc)
        _finish(place, handle, content.hexdigest())
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
    if (size, crc) == (entry.size, entry.crc32):
        return
    name = shown(entry.path)
    if size > entry.size:
        raise damaged(f'"{name}" holds more than the {entry.size:,} bytes that the zip says.', entry.path)
    if size < entry.size:
        raise damaged(f'"{name}" holds {size:,} bytes, and the zip says {entry.size:,}.', entry.path)
    raise damaged(f'The content of "{name}" is not what was zipped: its CRC differs.', entry.path)


def _cut(entry: Entry) -> BadBundle:
    return damaged(f'The data of "{shown(entry.path)}" does not end where the zip says it does.', entry.path)


def refused(place: Place, name: str, why: OSError) -> HomeportError:
    """What the host said, as an error that names the entry."""
    if why.errno in (errno.ENOSPC, errno.EDQUOT):
        return no_room(place.folder, f'there was no room for "{shown(name)}"')
    if why.errno == errno.EEXIST:
        return BadBundle(
            "twice",
            f'The disk of {place.folder.parent} takes "{shown(name)}" for the name of another entry.',
            entry=shown(name),
            todo=("Rename it and zip again.",),
        )
    return HostFailed(f'"{shown(name)}" can\'t be unpacked to {place.folder}: {why.strerror}.', code="not_unpacked")


def no_room(folder: Path, need: str) -> OutOfRoom:
    free = in_bytes(files.free_bytes(folder.parent))
    return OutOfRoom(
        f"The bundle can't be unpacked: {need}, and the disk of {folder.parent} has {free} left.",
        todo=("Free some space on that disk, or move the data folder to a larger one.",),
    )
