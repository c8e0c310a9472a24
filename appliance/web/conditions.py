"""What a request for a file asks besides its path: only if it changed, only these bytes. Judged as NGINX judges it."""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Self

_RANGE = re.compile(rb" *(?:([0-9]+) *- *([0-9]*)|-([0-9]+)) *")
_MOST = 2**63 // 10


@dataclass(frozen=True)
class File:
    """What conditions are about."""

    size: int
    mtime: int

    @property
    def etag(self) -> bytes:
        return b'"%x-%x"' % (self.mtime, self.size)


@dataclass(frozen=True)
class Conditions:
    """The headers of a request that are about a file's state."""

    match: bytes | None = None
    none_match: bytes | None = None
    modified_since: bytes | None = None
    unmodified_since: bytes | None = None
    range: bytes | None = None
    if_range: bytes | None = None

    @classmethod
    def of(cls, headers: list[tuple[bytes, bytes]]) -> Self:
        """The first of each counts."""
        found: dict[str, bytes] = {}
        for name, value in headers:
            if name in _NAMES:
                found.setdefault(_NAMES[name], value.strip(b" \t"))
        return cls(**found)


_NAMES = {
    b"if-match": "match",
    b"if-none-match": "none_match",
    b"if-modified-since": "modified_since",
    b"if-unmodified-since": "unmodified_since",
    b"range": "range",
    b"if-range": "if_range",
}


def status(asked: Conditions, file: File) -> int:
    """200, 304 or 412."""
    if asked.unmodified_since is not None and not _unmodified(asked.unmodified_since, file.mtime):
        return 412
    if asked.match is not None and not _among(file.etag, asked.match, weak=False):
        return 412
    # No date is ever sent, so a date in a question is about some other server's answer: it has changed since.
    if asked.modified_since is None and asked.none_match is not None:
        return 304 if _among(file.etag, asked.none_match, weak=True) else 200
    return 200


def parts(asked: Conditions, file: File) -> list[tuple[int, int]] | None:
    """The pieces to send, each from and up to a byte; an empty list for all of it, None when there is no such piece."""
    if asked.range is None or asked.range[:6].lower() != b"bytes=" or len(asked.range) < 7:
        return []
    if asked.if_range is not None and not _same(asked.if_range, file):
        return []
    return _pieces(asked.range[6:], file.size)


def _pieces(text: bytes, size: int) -> list[tuple[int, int]] | None:
    found: list[tuple[int, int]] = []
    for piece in text.split(b","):
        match = _RANGE.fullmatch(piece)
        if match is None or any(int(number) > _MOST for number in match.groups() if number):
            return None
        begin, end = _span(match, size)
        if begin < end:
            found.append((begin, end))
        elif begin == 0:
            return []
    if not found:
        return None
    return found if sum(end - begin for begin, end in found) <= size else []


def _span(match: re.Match[bytes], size: int) -> tuple[int, int]:
    first, last, suffix = match.groups()
    if suffix is not None:
        return max(0, size - int(suffix)), size
    return int(first), min(int(last) + 1, size) if last else size


def _same(if_range: bytes, file: File) -> bool:
    if if_range.endswith(b'"') and len(if_range) >= 2:
        return if_range == file.etag
    return _date(if_range) == file.mtime


def _unmodified(text: bytes, mtime: int) -> bool:
    when = _date(text)
    return when is not None and when >= mtime


def _date(text: bytes) -> int | None:
    try:
        return int(parsedate_to_datetime(text.decode("latin-1")).timestamp())
    except (ValueError, OverflowError):
        return None


def _among(etag: bytes, listed: bytes, *, weak: bool) -> bool:
    if listed == b"*":
        return True
    tags = (tag.strip(b" \t") for tag in listed.split(b","))
    return any((tag.removeprefix(b"W/") if weak else tag) == etag for tag in tags)
