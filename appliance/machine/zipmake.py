"""A zip put together from contents that are kept one by one: the same files give the same bytes, every time."""

import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from appliance.errors import HostFailed
from appliance.model.manifests import Manifest, Piece

Where = Callable[[str], Path]  # where a content is, by its SHA-256

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_WIDE_END = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_PLAIN, _WIDE = 20, 45  # the version of the format that a reader needs
_UTF8, _STORED = 1 << 11, 0
_TIME, _DATE = 0, 1 << 5 | 1  # 1 January 1980, the first that a zip can hold
_UNIX = 3 << 8
_MODE = (stat.S_IFREG | 0o644) << 16
_WRAPPER = "site/"
_CHUNK = 1 << 20


class _Entry(NamedTuple):
    name: bytes
    piece: Piece
    offset: int


def size(manifest: Manifest) -> int:
    """Bytes of the zip."""
    entries, end = _laid_out(manifest)
    return end + len(_directory(entries, end))


def stream(manifest: Manifest, where: Where) -> Iterator[bytes]:
    """The zip, piece by piece. Every file is stored as it is, sorted by its path."""
    entries, end = _laid_out(manifest)
    for entry in entries:
        yield _local(entry)
        yield from _content(entry, where)
    yield _directory(entries, end)


def local_header(name: bytes, piece: Piece) -> bytes:
    """What stands before the bytes of a file."""
    return _local(_Entry(name, piece, 0))


def names(manifest: Manifest) -> list[tuple[bytes, str]]:
    """The names in the zip, in order, each with the path that it stands for."""
    tops = {path.partition("/")[0] for path in manifest}
    # A reader unwraps one folder that holds everything, and this one is part of the site's addresses.
    wrapper = _WRAPPER if len(tops) == 1 and next(iter(manifest)) not in tops else ""
    return sorted((f"{wrapper}{path}".encode(), path) for path in manifest)


def directory(manifest: Manifest) -> bytes:
    """What stands after all files."""
    entries, end = _laid_out(manifest)
    return _directory(entries, end)


def _laid_out(manifest: Manifest) -> tuple[list[_Entry], int]:
    entries, at = [], 0
    for name, path in names(manifest):
        piece = manifest[path]
        entries.append(_Entry(name, piece, at))
        at += _LOCAL.size + len(name) + (20 if piece.size >= _FULL32 else 0) + piece.size
    return entries, at


def _content(entry: _Entry, where: Where) -> Iterator[bytes]:
    left = entry.piece.size
    try:
        with where(entry.piece.sha256).open("rb", buffering=0) as file:
            while left and (data := file.read(min(_CHUNK, left))):
                yield data
                left -= len(data)
    except OSError as why:
        raise _gone(entry, why.strerror or str(why)) from why
    if left:
        raise _gone(entry, f"{left:,} bytes are missing")


def _local(entry: _Entry) -> bytes:
    name, (length, _, crc32), _ = entry
    wide = length >= _FULL32
    extra = struct.pack("<2H2Q", 1, 16, length, length) if wide else b""
    shown = _FULL32 if wide else length
    version = _WIDE if wide else _PLAIN
    fields = (version, _UTF8, _STORED, _TIME, _DATE, crc32, shown, shown, len(name), len(extra))
    return _LOCAL.pack(b"PK\3\4", *fields) + name + extra


def _central(entry: _Entry) -> bytes:
    name, (length, _, crc32), offset = entry
    wide = [number for number in (length, length, offset) if number >= _FULL32]
    extra = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    version = _WIDE if wide else _PLAIN
    shown, at = min(length, _FULL32), min(offset, _FULL32)
    head = (_UNIX | version, version, _UTF8, _STORED, _TIME, _DATE, crc32, shown, shown, len(name), len(extra))
    return _CENTRAL.pack(b"PK\1\2", *head, 0, 0, 0, _MODE, at) + name + extra


def _directory(entries: list[_Entry], at: int) -> bytes:
    listed = b"".join(map(_central, entries))
    count, length = len(entries), len(listed)
    wide = b""
    if count >= _FULL16 or length >= _FULL32 or at >= _FULL32:
        wide = _WIDE_END.pack(b"PK\6\6", _WIDE_END.size - 12, _WIDE, _WIDE, 0, 0, count, count, length, at)
        wide += _LOCATOR.pack(b"PK\6\7", 0, at + length, 1)
    few = min(count, _FULL16)
    end = _END.pack(b"PK\5\6", 0, 0, few, few, min(length, _FULL32), min(at, _FULL32), 0)
    return listed + wide + end


def _gone(entry: _Entry, why: str) -> HostFailed:
    return HostFailed(
        f"The content of {entry.name.decode()} can't be read on this host: {why}.",
        code="content_gone",
        todo=("Run `homeport doctor --store` on the host.", "Deploy the folder again: what is missing is sent again."),
    )
