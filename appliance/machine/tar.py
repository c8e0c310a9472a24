"""A tar file that says of itself whether it is whole: its last member holds the SHA-256 of every other one.

Each byte follows from the members and their contents, so one that is changed, missing or too many is found. Any tar
unpacks it, and `sha256sum -c SHA256SUMS` checks what came out.
"""

import hashlib
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from appliance.errors import BadBackup

SUMS = "SHA256SUMS"
CHUNK = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_NAMES_MOST = 100  # letters of a name: longer ones take more than one block


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object: ...


class Writer:
    """Members one after the other, however large, in little memory."""

    def __init__(self, sink: Sink, *, moment: int, aside: Path) -> None:
        self._sink = sink
        self._moment = moment
        self._whole = hashlib.sha256()
        self._sums: BinaryIO = tempfile.TemporaryFile(dir=aside)  # noqa: SIM115 - closed with the writer
        self.size = 0

    def add(self, name: str, size: int, chunks: Iterable[bytes]) -> str:
        """Put in exactly `size` bytes and say what their SHA-256 is."""
        self._put(_header(name, size, self._moment))
        digest, left = hashlib.sha256(), size
        for chunk in chunks:
            left -= len(chunk)
            digest.update(chunk)
            self._put(chunk)
        if left:
            raise ValueError(f"{name} changed its size while it was read")
        self._put(bytes(_padding(size)))
        self._sums.write(_sum(digest.hexdigest(), name))
        return digest.hexdigest()

    def finish(self) -> str:
        """Close the list; says the SHA-256 of the whole file."""
        size = self._sums.tell()
        self._sums.seek(0)
        self._put(_header(SUMS, size, self._moment))
        for chunk in _pieces(self._sums, size):
            self._put(chunk)
        self._put(bytes(_padding(size)))
        self._put(bytes(_ending(self.size)))
        return self._whole.hexdigest()

    def close(self) -> None:
        self._sums.close()

    def _put(self, data: bytes) -> None:
        self._sink.write(data)
        self._whole.update(data)
        self.size += len(data)


@dataclass(frozen=True)
class Member:
    name: str
    size: int
    chunks: Iterator[bytes]  # to be read before the next member is asked for


class Reader:
    """Reads what `Writer` wrote, and BadBackup for anything else. Only at the end is it known to be whole."""

    def __init__(self, source: BinaryIO, *, aside: Path) -> None:
        self._source = source
        self._sums: BinaryIO = tempfile.TemporaryFile(dir=aside)  # noqa: SIM115 - closed with the reader
        self._at = 0

    def members(self) -> Iterator[Member]:
        while True:
            name, size = self._head()
            if name == SUMS:
                self._check_end(size)
                return
            digest = hashlib.sha256()
            member = Member(name, size, self._content(size, digest))
            yield member
            for _ in member.chunks:  # what was left unread counts too
                pass
            self._check_padding(size)
            self._sums.write(_sum(digest.hexdigest(), name))

    def close(self) -> None:
        self._sums.close()

    def _head(self) -> tuple[str, int]:
        block = self._exactly(_BLOCK)
        try:
            found = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            plain = found.isreg() and block == _header(found.name, found.size, int(found.mtime))
        except (tarfile.HeaderError, ValueError) as why:
            raise self._no_member() from why
        if not plain or found.size < 0:
            raise self._no_member()
        return found.name, found.size

    def _no_member(self) -> BadBackup:
        if self._at == _BLOCK:
            return BadBackup("This file is not a backup that Homeport made.", code="no_backup", todo=_TODO)
        return _damaged(f"at byte {self._at - _BLOCK}")

    def _content(self, size: int, digest: "hashlib._Hash") -> Iterator[bytes]:
        for chunk in _pieces(self._source, size):
            self._at += len(chunk)
            digest.update(chunk)
            yield chunk

    def _check_padding(self, size: int) -> None:
        if any(self._exactly(_padding(size))):
            raise _damaged(f"before byte {self._at}")

    def _check_end(self, size: int) -> None:
        """The list names every member with what it holds, and after it comes nothing."""
        if size != self._sums.tell():
            raise _damaged("in its list of contents")
        self._sums.seek(0)
        for chunk in _pieces(self._source, size):
            self._at += len(chunk)
            if chunk != self._sums.read(len(chunk)):
                raise _damaged("in its list of contents, or in what that names")
        self._check_padding(size)
        if any(self._exactly(_ending(self._at))) or self._source.read(1):
            raise _damaged("at its end")

    def _exactly(self, size: int) -> bytes:
        data = b"".join(_pieces(self._source, size))
        self._at += size
        return data


def _pieces(source: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        chunk = source.read(min(size, CHUNK))
        if not chunk:
            raise BadBackup("The backup ends before it is whole.", code="cut_off", todo=_TODO)
        size -= len(chunk)
        yield chunk


def _header(name: str, size: int, moment: int) -> bytes:
    if not 0 < len(name.encode()) <= _NAMES_MOST:
        raise ValueError(f"{name!r} is no name for a member")
    made = tarfile.TarInfo(name)
    made.size, made.mode, made.mtime = size, 0o600, moment
    return made.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def _padding(size: int) -> int:
    return -size % _BLOCK


def _ending(size: int) -> int:
    """Two empty blocks, and as many more as make the file one of whole records."""
    return 2 * _BLOCK + -(size + 2 * _BLOCK) % tarfile.RECORDSIZE


def _sum(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()


def _damaged(where: str) -> BadBackup:
    return BadBackup(f"The backup is damaged {where}.", code="damaged", todo=_TODO)


_TODO = ("Nothing was restored. Get the file again from where it is kept, or take another backup.",)
