"""An upload on its way in: spooled to disk and hashed as it comes."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from appliance.context import Context
from appliance.errors import OutOfRoom, TooLarge
from appliance.machine import clock, files, unpack

SPARE = 64 << 20  # left free for everything else
GIB = 1 << 30


@dataclass(frozen=True)
class Received:
    """An upload that has arrived whole."""

    path: Path
    sha256: str
    size: int
    seconds: float


class Incoming:
    """Leaving the block without keeping the file removes it: an upload cut off leaves nothing behind."""

    def __init__(self, ctx: Context, expected: int | None = None, most: int | None = None) -> None:
        self._most = most or ctx.settings.upload_max
        self.refuse_size(expected or 0)
        refuse_full(ctx.data, expected or 0)
        unpack.get_ready(expected or 0)
        self.path = ctx.data / "incoming" / f"{clock.new_id()}.zip"
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._hash = hashlib.sha256()
        self._began = monotonic()
        self.size = 0

    def write(self, chunks: Sequence[bytes]) -> None:
        for chunk in chunks:
            self._write_one(chunk)
            self._hash.update(chunk)
            self.size += len(chunk)

    def _write_one(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
        except OSError as why:
            raise not_written(self.path.parent, why) from why

    def finish(self) -> Received:
        return Received(self.path, self._hash.hexdigest(), self.size, monotonic() - self._began)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)
        self.path.unlink(missing_ok=True)

    def refuse_size(self, size: int) -> None:
        """Before it is written: a sender hears at once that it is too much."""
        refuse_size(size, self._most)


def refuse_size(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(
            f"The upload is larger than {_amount(most)}, the most that this host takes.",
            todo=("Leave out what visitors don't need, or raise HOMEPORT_UPLOAD_MAX on the host.",),
        )


def refuse_full(data: Path, size: int) -> None:
    free = files.free_bytes(data)
    if free < size + SPARE:
        raise OutOfRoom(
            f"The disk that holds {data} has {_amount(free)} free, too little for this upload.",
            todo=("Make room on that disk, then upload again.",),
        )


def not_written(folder: Path, why: OSError) -> OutOfRoom:
    return OutOfRoom(
        f"The upload could not be written to {folder}: {why.strerror}.",
        todo=("Make room on that disk, then upload again.",),
    )


def _amount(size: int) -> str:
    return f"{size / GIB:.3g} GiB" if size >= GIB else f"{size / (1 << 20):.3g} MiB"
