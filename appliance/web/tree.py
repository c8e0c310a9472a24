"""One release, held open: wherever the pointer leads meanwhile, one answer comes from one release."""

import os
import stat
from errno import EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENXIO
from pathlib import Path
from typing import Self

_NOT_THERE = frozenset({ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EACCES, ENXIO})


class Tree:
    def __init__(self, root: Path | None) -> None:
        self._open: list[int] = []
        self._found: dict[bytes, int | None] = {}
        self._top = -1
        try:
            if root is not None:
                self._top = self._keep(os.open(root, os.O_PATH | os.O_DIRECTORY))
        except OSError as why:
            if why.errno not in _NOT_THERE:
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._open:
            os.close(handle)

    def has(self, name: bytes) -> bool:
        return self.file(name) is not None

    def file(self, name: bytes) -> int | None:
        """A regular file, open."""
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def _look(self, name: bytes) -> int | None:
        """Without following a link anywhere on the way."""
        if self._top < 0:
            return None
        *folders, last = name.split(b"/")
        try:
            here = self._top
            for folder in folders:
                here = self._keep(os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here))
            file = self._keep(os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here))
        except OSError as why:
            if why.errno in _NOT_THERE:
                return None
            raise
        return file if stat.S_ISREG(os.fstat(file).st_mode) else None

    def _keep(self, handle: int) -> int:
        self._open.append(handle)
        return handle
