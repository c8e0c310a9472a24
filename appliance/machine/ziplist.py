"""The entries of a zip, read strictly: the central directory, and every local header against it."""

import re
import stat
import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from appliance.errors import BadBundle
from appliance.machine.zipend import (
    CENTRAL_MARK,
    DESCRIPTOR_MARK,
    FULL16,
    FULL32,
    LOCAL_MARK,
    Source,
    damaged,
    data_before,
    find_directory,
    in_parts,
    shown,
)

STORED, DEFLATED = 0, 8

_CENTRAL = struct.Struct("<4sxB2xHH4x3I4H2x2I")
_LOCAL = struct.Struct("<4s2xHH4x3I2H")
_LONGEST_MEAN = 256  # bytes that an entry may take in the list, on average
_IN_DESCRIPTOR, _PATCHED, _UTF8 = 1 << 3, 1 << 5, 1 << 11
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_NOT_OURS = _ENCRYPTED | _PATCHED
_MUST_AGREE = _NOT_OURS | _IN_DESCRIPTOR | _UTF8
_METHODS = {
    1: "shrink", 6: "implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd",
}  # fmt: skip

_FOLDER_KIND = stat.S_IFDIR >> 12
_GOOD_KINDS = frozenset({0, _FOLDER_KIND, stat.S_IFREG >> 12})
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}
_DOS_REPARSE, _DOS_NO_FILE = 0x400, 0x48
_ZIP64, _UNICODE_PATH, _ASI_UNIX = 0x0001, 0x7075, 0x756E
_RARE_FIELDS = re.compile(rb"up..\x01|nu.\x00", re.DOTALL)  # how a Unicode path and an ASi field begin


class Header(NamedTuple):
    """One entry, the central directory and its local header agreeing. A NamedTuple: there may be 100,000."""

    name: str
    size: int
    crc32: int
    start: int  # where its data begins
    packed: int
    method: int
    offset: int  # where its local header begins
    end: int  # after its data and data descriptor


class _Central(NamedTuple):
    raw: bytes  # the name's bytes
    name: str
    flags: int
    method: int
    crc32: int
    packed: int
    size: int
    offset: int


def read(source: Source, most: int) -> list[Header]:
    """Every entry in the order of its bytes, none overlapping another. More than `most` is refused unread."""
    directory = find_directory(source)
    if directory.entries > most:
        raise _too_many(directory.entries, most)
    if directory.size > _LONGEST_MEAN * most:
        raise damaged(
            f"The zip's list of {directory.entries:,} entries takes {directory.size:,} bytes: more than it can need."
        )
    raw = source.read(directory.offset, directory.size)
    rare = _RARE_FIELDS.search(raw) is not None  # asked once, not for each entry
    headers: list[Header] = []
    at = 0
    while at < len(raw):
        entry, at = _central(raw, at, rare)
        headers.append(_locate(source, entry, directory.offset))
        if len(headers) > most:
            raise _too_many(len(headers), most)
    # macOS counts in 16 bits, without zip64, however many entries there are.
    if len(headers) != directory.entries and (directory.wide or len(headers) & FULL16 != directory.entries):
        raise damaged(f"The zip says it holds {directory.entries:,} entries, but lists {len(headers):,}.")
    headers.sort(key=lambda header: header.offset)
    _check_ranges(headers)
    return headers


def _too_many(count: int, most: int) -> BadBundle:
    return BadBundle(
        "too_many_files",
        f"The zip lists {count:,} entries, counting folders and what is left out; at most {most:,} are read.",
        todo=("Publish fewer files, or raise HOMEPORT_BUNDLE_MAX_FILES.",),
    )


def _central(raw: bytes, at: int, rare: bool) -> tuple[_Central, int]:
    """The central header at `at`, and where the next one is."""
    start = at + _CENTRAL.size
    if start > len(raw) or raw[at : at + 4] != CENTRAL_MARK:
        raise damaged("The zip's list of entries is damaged.")
    (_, system, flags, method, crc, packed, size, length, extras, comment, disk, attributes, offset) = (
        _CENTRAL.unpack_from(raw, at)
    )
    middle = start + length
    after = middle + extras + comment
    if after > len(raw):
        raise damaged("The zip's list of entries is damaged.")
    name_bytes = raw[start:middle]
    extra = raw[middle : middle + extras]
    name = _name(name_bytes, flags, extra if rare else b"")
    if FULL32 in (size, packed, offset) or disk:
        size, packed, offset = _widened(name, extra, (size, packed, offset), disk)
    if flags & _NOT_OURS or method not in (DEFLATED, STORED):
        raise _not_ours(name, flags, method)
    if attributes >> 28 not in _GOOD_KINDS or attributes & _DOS_REPARSE or rare or not system:
        _check_kind(name, system, attributes, extra)
    if attributes >> 28 == _FOLDER_KIND and name[-1:] != "/":
        raise _special(name, "marked as a folder but named as a file")
    if method == STORED and packed != size:
        raise damaged(
            f'The entry "{shown(name)}" is stored as it is, yet has two sizes: {packed:,} and {size:,}.', name
        )
    return _Central(name_bytes, name, flags, method, crc, packed, size, offset), after


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields. What can't be read at the end is padding, as some tools write."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        at += 4 + length
        if at <= len(extra):
            yield kind, extra[at - length : at]


def _name(raw: bytes, flags: int, extra: bytes) -> str:
    """UTF-8 where it says so or can be; Info-ZIP's Unicode name where its CRC fits; else code page 437."""
    if extra and not flags & _UTF8:
        for kind, body in _fields(extra):
            if kind == _UNICODE_PATH and body[:1] == b"\1" and body[1:5] == crc32(raw).to_bytes(4, "little"):
                return _utf8(body[5:])
    if flags & _UTF8:
        return _utf8(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        name = raw.decode("utf-8", "backslashreplace")
        raise BadBundle(
            "name",
            f'The entry "{shown(name)}" says its name is UTF-8, but it is not.',
            entry=shown(name),
            todo=("Rename it, or zip again with a tool that writes UTF-8 names.",),
        ) from None


def _widened(name: str, extra: bytes, narrow: tuple[int, int, int], disk: int) -> list[int]:
    """Size, packed size and offset, those that are full taken from the zip64 field."""
    body = next((body for kind, body in _fields(extra) if kind == _ZIP64), b"")
    values = list(narrow)
    for place, value in enumerate(narrow):
        if value == FULL32:
            if len(body) < 8:
                raise damaged(f'The sizes of "{shown(name)}" are missing.', name)
            values[place] = int.from_bytes(body[:8], "little")
            body = body[8:]
    if disk and (disk != FULL16 or any(body[:4])):
        raise in_parts()
    return values


def _not_ours(name: str, flags: int, method: int) -> BadBundle:
    if flags & _ENCRYPTED:
        return BadBundle(
            "encrypted",
            f'The entry "{shown(name)}" is encrypted.',
            entry=shown(name),
            todo=("Zip again without a password.",),
        )
    how = "as a patch" if flags & _PATCHED else f"with {_METHODS.get(method, f'method {method}')}"
    return BadBundle(
        "method",
        f'The entry "{shown(name)}" is compressed {how}; only deflate, the usual way, and stored are read.',
        entry=shown(name),
        todo=("Zip again with the usual compression (deflate).",),
    )


def _check_kind(name: str, system: int, attributes: int, extra: bytes) -> None:
    """Refuse what is no file and no folder, by Unix mode, by DOS attributes, or by the ASi Unix field."""
    modes = [attributes >> 16]
    modes += [
        int.from_bytes(body[4:6], "little") for kind, body in _fields(extra) if kind == _ASI_UNIX and len(body) >= 6
    ]
    for mode in modes:
        if stat.S_ISLNK(mode):
            raise _symlink(name)
        if mode >> 12 not in _GOOD_KINDS:
            raise _special(name, _KINDS.get(stat.S_IFMT(mode), "of a kind that is neither file nor folder"))
    if attributes & _DOS_REPARSE:
        raise _symlink(name)
    if system == 0 and attributes & _DOS_NO_FILE:
        raise _special(name, "a device or a disk's label")


def _symlink(name: str) -> BadBundle:
    return BadBundle(
        "symlink",
        f'The entry "{shown(name)}" is a symlink; a bundle holds files and folders only.',
        entry=shown(name),
        todo=("Zip again without -y (--symlinks), so that files go in instead of links.",),
    )


def _special(name: str, what: str) -> BadBundle:
    return BadBundle(
        "special",
        f'The entry "{shown(name)}" is {what}; a bundle holds files and folders only.',
        entry=shown(name),
        todo=("Leave it out and zip again.",),
    )


def _locate(source: Source, entry: _Central, most: int) -> Header:
    """Find an entry's data behind its local header, which must say what the central directory says."""
    raw, name, flags, method, crc, packed, size, offset = entry
    length = _LOCAL.size + len(raw)
    local = source.read(offset, length)
    if len(local) != length or local[:4] != LOCAL_MARK:
        raise damaged(f'The entry "{shown(name)}" is not where the list of entries says it is.', name)
    _, flags_here, method_here, crc_here, packed_here, size_here, name_length, extras = _LOCAL.unpack_from(local)
    if name_length != len(raw) or local[_LOCAL.size :] != raw:
        raise _mismatch(name, "name")
    if method_here != method:
        raise _mismatch(name, "method")
    if (flags_here ^ flags) & _MUST_AGREE:
        raise _mismatch(name, "flags")
    start = offset + length + extras
    end = start + packed
    if flags & _IN_DESCRIPTOR and end <= most:
        end += _descriptor(source, entry, end, (crc_here, packed_here, size_here) == (crc, packed, size))
    if end > most:
        raise _overlap(name, "the list of entries")
    if flags & _IN_DESCRIPTOR:
        return Header(name, size, crc, start, packed, method, offset, end)
    if crc_here != crc:
        raise _mismatch(name, "CRC")
    if (size_here, packed_here) != (size, packed):
        _check_wide_sizes(entry, (size_here, packed_here), source.read(offset + length, extras))
    return Header(name, size, crc, start, packed, method, offset, end)


def _check_wide_sizes(entry: _Central, here: tuple[int, int], extra: bytes) -> None:
    """Sizes that differ in a local header may only be full ones, with the real ones in its zip64 field."""
    body = next((body for kind, body in _fields(extra) if kind == _ZIP64), b"")
    for value, narrow in zip((entry.size, entry.packed), here, strict=True):
        wide = narrow == FULL32 and len(body) >= 8
        if value != (int.from_bytes(body[:8], "little") if wide else narrow):
            raise _mismatch(entry.name, "size")
        body = body[8:] if wide else body


def _descriptor(source: Source, entry: _Central, at: int, known: bool) -> int:
    """How long the data descriptor is: with its mark or without, in narrow or wide numbers, as tools differ."""
    found = source.read(at, 24)
    for mark in (DESCRIPTOR_MARK, b""):
        for width in (4, 8):
            sizes = entry.packed.to_bytes(8, "little")[:width] + entry.size.to_bytes(8, "little")[:width]
            expected = mark + entry.crc32.to_bytes(4, "little") + sizes
            if found.startswith(expected):
                return len(expected)
    if not known:
        raise _mismatch(entry.name, "size")
    return 0


def _mismatch(name: str, what: str) -> BadBundle:
    return damaged(
        f'The {what} of "{shown(name)}" in the list of entries is not the one beside its data.', name, code="mismatch"
    )


def _check_ranges(headers: list[Header]) -> None:
    """Each entry begins after the one before it ends; the first begins the file."""
    if headers and headers[0].offset:
        raise data_before(headers[0].offset)
    end, before = 0, ""
    for header in headers:
        if header.offset < end:
            raise _overlap(header.name, f'"{shown(before)}"')
        end, before = header.end, header.name


def _overlap(name: str, what: str) -> BadBundle:
    return damaged(f'The data of "{shown(name)}" overlaps {what}.', name, code="overlap")
