"""Backups in a folder of this host, or of a disk that is mounted there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import HostFailed, NotFound
from appliance.machine import files
from appliance.machine.tar import CHUNK, Sink


@dataclass(frozen=True)
class Folder:
    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    @contextmanager
    def keep(self, name: str) -> Iterator[Sink]:
        """It has its name when the block ends, whole and on the disk; nothing is left where it was broken off."""
        if not self.path.is_dir():
            raise HostFailed(
                f"There is no folder {self.path}.",
                code="no_folder",
                todo=("Make it, or mount the disk that it is on; Homeport must be able to write there.",),
            )
        with files.refusals():
            beside = self._beside(name)
            beside.unlink(missing_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                with open(handle, "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(handle)
                beside.replace(self.path / name)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
            files.sync_folder(self.path)

    def check(self, name: str, size: int) -> None:
        """What was kept is all there."""
        if self.size(name) != size:
            raise HostFailed(f"{self.path / name} is not as large as it should be.", code="not_kept")

    def size(self, name: str) -> int:
        try:
            return (self.path / name).stat().st_size
        except OSError as why:
            raise NotFound(f"{self.path / name} is not there any more: {why.strerror}.", code="no_file") from why

    def read(self, name: str) -> Iterator[bytes]:
        with (self.path / name).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def remove(self, name: str) -> None:
        with files.refusals(), suppress(FileNotFoundError):
            (self.path / name).unlink()

    def sweep(self, name: str) -> None:
        """What is left of one that was broken off."""
        with files.refusals():
            self._beside(name).unlink(missing_ok=True)

    def _beside(self, name: str) -> Path:
        return self.path / f".{name}.new"
