"""Where the list of a zip's entries is: by its end record, which must be the last thing in the file."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from appliance.errors import BadBundle, HostFailed

ZIP_AGAIN = "Zip the folder again and upload the new file."
CENTRAL_MARK, LOCAL_MARK, DESCRIPTOR_MARK = b"PK\1\2", b"PK\3\4", b"PK\7\x08"
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF  # a number too large for its field, found in a zip64 one

_END = struct.Struct("<4s4H2IH")
_LOCATOR = struct.Struct("<4sIQI")
_WIDE_END = struct.Struct("<4sQ4x2I4Q")
_END_MARK, _LOCATOR_MARK, _WIDE_END_MARK = b"PK\5\6", b"PK\6\7", b"PK\6\6"


@dataclass(frozen=True)
class Source:
    """An open zip."""

    handle: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Up to so many bytes; fewer only at the end of the file, and none from outside it."""
        return os.pread(self.handle, length, offset) if 0 <= offset <= self.size else b""


class Directory(NamedTuple):
    offset: int
    size: int
    entries: int
    wide: bool  # whether a zip64 record says so


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as why:
        raise HostFailed(f"The bundle {path} can't be read: {why.strerror}.", code="no_bundle") from why
    try:
        yield Source(handle, os.fstat(handle).st_size)
    finally:
        os.close(handle)


def find_directory(source: Source) -> Directory:
    """Where the central directory is, by the end record, which must be the last thing in the file."""
    begin = max(0, source.size - _END.size - FULL16)
    tail = source.read(begin, source.size - begin)
    places = []
    at = tail.rfind(_END_MARK)
    while at >= 0:
        if at + _END.size <= len(tail) and at + _END.size + _END.unpack_from(tail, at)[7] == len(tail):
            places.append(at)
        at = tail.rfind(_END_MARK, 0, at)
    if len(places) > 1:
        raise damaged("The zip has two end records, so it could be read in two ways.")
    if not places:
        raise _no_end(source, tail, begin)
    return _directory(source, _END.unpack_from(tail, places[0]), begin + places[0])


def _no_end(source: Source, tail: bytes, begin: int) -> BadBundle:
    """Why there is no end record at the end."""
    head = source.read(0, 4)
    if head == DESCRIPTOR_MARK:
        return in_parts()
    if not head:
        return BadBundle("empty", "The upload is empty: it has no bytes.", todo=("Choose the zip again.",))
    at = tail.rfind(_END_MARK)
    if 0 <= at <= len(tail) - _END.size:
        _, _, _, _, _, size, offset, comment = _END.unpack_from(tail, at)
        extra = len(tail) - at - _END.size - comment
        if extra > 0 and offset + size == begin + at:
            return damaged(f"There are {extra:,} bytes after the end of the zip.", code="data_after")
    if head == LOCAL_MARK[: len(head)] or head == _END_MARK:
        return BadBundle(
            "truncated",
            "The zip ends too early: its list of entries, which comes last, is not there.",
            todo=("Upload it again; if that fails too, zip the folder again.",),
        )
    return BadBundle(
        "not_a_zip",
        "This is not a zip.",
        todo=("Upload a .zip of the built site; other archives, such as .tar.gz or .rar, are not read.",),
    )


def _directory(source: Source, end: tuple[Any, ...], at: int) -> Directory:
    """What the end record at `at` says, widened by zip64 where there is such a record, and checked against the file."""
    _, disk, first_disk, here, entries, size, offset, _ = end
    wide = source.read(at - _LOCATOR.size, _LOCATOR.size) if at >= _LOCATOR.size else b""
    if wide[:4] == _LOCATOR_MARK:
        at, disk, values = _wide_end(source, wide, at - _LOCATOR.size, (disk, first_disk))
        narrow = ((here, FULL16), (entries, FULL16), (size, FULL32), (offset, FULL32))
        if any(value not in (full, wider) for (value, full), wider in zip(narrow, values, strict=True)):
            raise damaged("The two end records of the zip disagree.")
        here, entries, size, offset = values
        first_disk = disk
    if disk or first_disk or here != entries:
        raise in_parts()
    if offset + size != at:
        raise _misplaced(source, offset, size, at)
    return Directory(offset, size, entries, wide[:4] == _LOCATOR_MARK)


def _wide_end(
    source: Source, locator: bytes, at: int, disks: tuple[int, int]
) -> tuple[int, int, tuple[int, int, int, int]]:
    """Where the zip64 end record is, its disk number, and its four numbers."""
    _, disk, offset, total = _LOCATOR.unpack(locator)
    if disk or total > 1 or any(number not in (0, FULL16) for number in disks):
        raise in_parts()
    record = source.read(offset, _WIDE_END.size)
    if len(record) < _WIDE_END.size or record[:4] != _WIDE_END_MARK:
        shift = at - _WIDE_END.size - offset
        if shift > 0 and source.read(offset + shift, 4) == _WIDE_END_MARK:
            raise data_before(shift)
        raise damaged("The zip's end record is not where the zip says it is.")
    _, length, disk, first_disk, here, entries, size, start = _WIDE_END.unpack(record)
    if offset + 12 + length != at:
        raise damaged("The zip's end record does not end where the zip says it does.")
    return offset, disk or first_disk, (here, entries, size, start)


def in_parts() -> BadBundle:
    return BadBundle(
        "multi_disk",
        "This is one part of a zip that was split into several.",
        todo=("Zip the folder again as one file.",),
    )


def _misplaced(source: Source, offset: int, size: int, at: int) -> BadBundle:
    shift = at - size - offset
    if shift > 0 and source.read(at - size, 4) == (CENTRAL_MARK if size else _END_MARK):
        return data_before(shift)
    return damaged("The zip's list of entries is not where the zip says it is.")


def data_before(count: int) -> BadBundle:
    return BadBundle(
        "data_before",
        f"There are {count:,} bytes before the start of the zip.",
        todo=("Upload a plain zip: not a self-extracting one, and nothing put in front of it.",),
    )


def shown(name: str) -> str:
    """An entry's name, fit for a sentence."""
    text = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
    return text if len(text) <= 200 else f"{text[:120]}…{text[-60:]}"


def damaged(detail: str, name: str | None = None, *, code: str = "damaged") -> BadBundle:
    return BadBundle(code, detail, entry=None if name is None else shown(name), todo=(ZIP_AGAIN,))
