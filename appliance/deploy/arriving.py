"""Contents on their way in, many in one body: each is kept once it is whole and is what its name says."""

import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

from appliance.access.actor import Actor
from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.reach import note_sent, reach_of
from appliance.deploy.receive import not_written, refuse_full, refuse_size
from appliance.errors import BadBundle, BadRequest
from appliance.machine import clock, faults, files
from appliance.machine.shelf import Shelf

KIND = "application/vnd.homeport.contents"
HEAD = 32 + 8  # the SHA-256 and the size, before the bytes of each content
WHOLE = 1 << 20  # a content up to this size is held until it is whole; a larger one goes to a file at once
INFLATED = 1 << 20  # bytes that are unpacked at a time
LOOK_EVERY = 64 << 20  # bytes after which the room on the disk is looked at again


@dataclass(frozen=True)
class Arrived:
    """What came of a batch."""

    kept: Annotated[int, "Contents that are new here, as far as the sender may know"]
    known: Annotated[int, "Contents that were here before"]


class Arriving:
    """Takes a batch as it comes. Leaving the block removes what was not whole."""

    def __init__(self, ctx: Context, actor: Actor, expected: int | None = None, *, packed: bool = False) -> None:
        self._ctx, self._actor = ctx, actor
        self._bounded = reach_of(ctx, actor) is not None
        self._arrived: set[str] = set()
        self._data, self._shelf, self._most = ctx.data, paths.shelf(ctx), ctx.settings.upload_max
        self.refuse_size(expected or 0)
        refuse_full(ctx.data, expected or 0)
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS) if packed else None
        self._left = bytearray()  # of a head that isn't whole yet
        self._content: _Content | None = None
        self._total = self._unlooked = 0
        self.kept = self.known = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._content is not None:
            self._content.drop()

    def refuse_size(self, size: int) -> None:
        refuse_size(size, self._most)

    def write(self, chunks: Sequence[bytes]) -> None:
        try:
            for chunk in chunks:
                for plain in self._unpacked(chunk):
                    self._take(memoryview(plain))
        except zlib.error as why:
            raise BadRequest("The batch says it is gzip, and is not.", code="not_gzip") from why
        except OSError as why:
            raise not_written(self._data, why) from why

    def finish(self) -> Arrived:
        """What is kept by now is on the disk, too."""
        if self._content is not None or self._left or (self._inflate and not self._inflate.eof):
            raise BadRequest("The batch ends in the middle of a content. Those before it were kept.", code="cut_off")
        faults.point("contents kept")
        if self.kept or self._bounded:  # how long it takes tells no more than the answer does
            files.sync_disk(self._shelf.root)
        if not self._bounded:
            return Arrived(self.kept, self.known)
        news = note_sent(self._ctx, self._actor, self._arrived)
        return Arrived(news, self.kept + self.known - news)

    def _unpacked(self, chunk: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            yield chunk
            return
        while chunk:
            if self._inflate.eof:
                raise BadRequest("There is something after the end of the gzip.", code="not_gzip")
            yield self._inflate.decompress(chunk, INFLATED)
            chunk = self._inflate.unconsumed_tail or self._inflate.unused_data

    def _take(self, data: memoryview) -> None:
        while data or (self._content and self._content.whole):
            if self._content is None:
                room = HEAD - len(self._left)
                self._left += data[:room]
                data = data[room:]
                if len(self._left) == HEAD:
                    self._begin(bytes(self._left[:32]).hex(), int.from_bytes(self._left[32:]))
                    self._left.clear()
            if self._content is not None:
                data = self._content.write(data)
                if self._content.whole:
                    self._end(self._content)

    def _begin(self, sha256: str, size: int) -> None:
        self._total += size
        self.refuse_size(self._total)
        self._unlooked += size
        if self._unlooked >= LOOK_EVERY:
            refuse_full(self._data, size)
            self._unlooked = 0
        self._content = _Content(self._data / "incoming", self._shelf, sha256, size)

    def _end(self, content: "_Content") -> None:
        if content.keep():
            self.kept += 1
        else:
            self.known += 1
        if self._bounded:
            self._arrived.add(content.sha256)
        self._content = None


class _Content:
    """One content of the batch."""

    def __init__(self, folder: Path, shelf: Shelf, sha256: str, size: int) -> None:
        self._shelf, self.sha256, self._left = shelf, sha256, size
        self._known = shelf.has(sha256)
        self._hash = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._file: Path | None = None
        self._handle = -1
        if size > WHOLE and not self._known:
            self._file = folder / f"{clock.new_id()}.content"
            self._handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

    @property
    def whole(self) -> bool:
        return self._left == 0

    def write(self, data: memoryview) -> memoryview:
        """Takes what belongs to it, and gives the rest back."""
        own, rest = bytes(data[: self._left]), data[self._left :]
        self._left -= len(own)
        self._hash.update(own)
        if self._file is not None:
            files.write_all(self._handle, own)
        elif not self._known:
            self._pieces.append(own)
        return rest

    def keep(self) -> bool:
        """Whether it is new; one that is not what its name says is refused."""
        try:
            faults.point("content")
            if self._hash.hexdigest() != self.sha256:
                raise _lied(self.sha256)
            if self._file is not None:
                self._shelf.adopt(self._file, self.sha256)
            elif not self._known:
                self._shelf.put(self.sha256, b"".join(self._pieces))
            return not self._known
        finally:
            self.drop()

    def drop(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        if self._file is not None:
            self._file.unlink(missing_ok=True)


def _lied(sha256: str) -> BadBundle:
    return BadBundle(
        "content",
        f"A content arrived under the name {sha256}, and its SHA-256 is another. Those before it were kept.",
        todo=("Hash the file again, and send the bytes that were hashed: it may have changed meanwhile.",),
    )
