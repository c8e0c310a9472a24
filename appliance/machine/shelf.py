"""The content store: each distinct file content once, named by its SHA-256, read-only, hard-linked into releases."""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from appliance.errors import BadBundle
from appliance.machine import files
from appliance.machine.compressing import ENDINGS
from appliance.model.manifests import mtime

MODE = 0o444
NAME = 64  # hex digits
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20


class Shelf:
    """Safe from many threads: what is put twice is the same bytes twice, and a name appears by one link or rename."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> None:
        """The folders for the names to come."""
        for number in range(256):
            files.make_open(self.root / f"{number:02x}")

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """Which of these contents are not here."""
        return [sha256 for sha256 in wanted if not self.has(sha256)]

    def put(self, sha256: str, data: bytes) -> None:
        """Keep a content that is what its name says; BadBundle for any other."""
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _lied(sha256)
        if not self.has(sha256):
            self._write(sha256, data)

    def adopt(self, file: Path, sha256: str) -> None:
        """Keep a file that was written and hashed elsewhere on this disk; it leaves its old place."""
        _seal(file, sha256)
        file.replace(self.path(sha256))

    def share(self, file: Path, sha256: str) -> None:
        """Put a file of a tree on the shelf, by a link. Where another copy is there already, the tree gets that one."""
        kept = self.path(sha256)
        try:
            os.link(file, kept)
        except OSError as why:
            if why.errno == errno.EXDEV:  # a shelf on another disk shares nothing
                return
            if why.errno != errno.EEXIST:
                raise
            if not file.samefile(kept):
                beside = kept.with_name(f".{sha256}.{os.getpid()}.{os.urandom(4).hex()}")
                with suppress(OSError):  # as with more links than a file may have: then it keeps its own copy
                    os.link(kept, beside)
                    beside.replace(file)

    def link(self, sha256: str, to: Path) -> None:
        """Put a content into a tree. A file system has a limit of links; beyond it a fresh copy takes the name."""
        try:
            os.link(self.path(sha256), to)
        except OSError as why:
            if why.errno != errno.EMLINK:
                raise
            self.renew(sha256)
            os.link(self.path(sha256), to)

    def renew(self, sha256: str) -> None:
        """A copy of its own for what comes next; trees keep the old one."""
        self.adopt(self._copy(sha256), sha256)

    def sound(self, sha256: str) -> bool:
        """Whether a content is here and is what its name says."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def rewrite(self, sha256: str, data: bytes) -> None:
        """The right bytes into a file that lost them: every tree that links it has them again."""
        place = self.path(sha256)
        os.chmod(place, 0o600)
        with place.open("r+b") as file:
            file.write(data)
            file.truncate()
            os.fsync(file.fileno())
        _seal(place, sha256)

    def changed_since(self, moment: float) -> Iterator[str]:
        """What came, or was linked, after a moment."""
        for sha256 in self.names():
            with suppress(FileNotFoundError):
                if self.path(sha256).stat().st_ctime >= moment:
                    yield sha256

    def links(self, sha256: str) -> int:
        """How many names a content has, its own among them; none when it isn't here."""
        try:
            return os.stat(self.path(sha256)).st_nlink
        except FileNotFoundError:
            return 0

    def weight(self, sha256: str) -> int:
        """Bytes of a content with its smaller forms."""
        held = 0
        for file in (self.path(sha256), *(self.form(sha256, ending) for ending in ENDINGS)):
            with suppress(FileNotFoundError):
                held += os.stat(file).st_size
        return held

    def idle(self, before: float) -> Iterator[str]:
        """Contents that no tree links and that nothing has touched since."""
        for folder in sorted(os.scandir(self.root), key=lambda one: one.name):
            for one in os.scandir(folder) if folder.is_dir() else ():
                if len(one.name) != NAME:  # another form of a content goes with it
                    continue
                with suppress(FileNotFoundError):
                    if _was_left(one.stat(follow_symlinks=False), before):
                        yield one.name

    def is_idle(self, sha256: str, before: float) -> bool:
        with suppress(FileNotFoundError):
            return _was_left(self.path(sha256).lstat(), before)
        return False

    def names(self) -> Iterator[str]:
        for folder in sorted(self.root.iterdir()):
            if folder.is_dir():
                yield from sorted(one.name for one in folder.iterdir() if "." not in one.name)

    def sweep(self) -> None:
        """What someone was writing when the process ended. Only while nobody writes."""
        for left in self.root.glob("??/.*"):
            left.unlink(missing_ok=True)

    def remove(self, sha256: str) -> None:
        """With its smaller forms."""
        for file in (self.path(sha256), *(self.form(sha256, ending) for ending in ENDINGS)):
            file.unlink(missing_ok=True)

    def form(self, sha256: str, ending: str) -> Path:
        """Where a smaller form of a content is; an empty file says that it is not worth having."""
        return self.root / sha256[:2] / f"{sha256}.{ending}"

    def forms(self, sha256: str) -> list[str] | None:
        """The endings of the forms that are worth having; None while they have not been made."""
        try:
            sizes = {ending: os.stat(self.form(sha256, ending)).st_size for ending in ENDINGS}
        except FileNotFoundError:
            return None
        return [ending for ending, size in sizes.items() if size]

    def write_beside(self, sha256: str, data: bytes) -> Path:
        """Bytes in a hidden file, to be given a name once they are on the disk."""
        beside = self.path(sha256).with_name(f".{sha256}.{os.getpid()}.{os.urandom(4).hex()}")
        handle = os.open(beside, _NEW, 0o600)
        try:
            files.write_all(handle, data)
        except BaseException:
            beside.unlink()
            raise
        finally:
            os.close(handle)
        return beside

    def adopt_form(self, file: Path, sha256: str, ending: str) -> None:
        """It has the time of its content, as every file that is served."""
        _seal(file, sha256)
        file.replace(self.form(sha256, ending))

    def _write(self, sha256: str, data: bytes) -> None:
        self.adopt(self.write_beside(sha256, data), sha256)

    def _copy(self, sha256: str) -> Path:
        place = self.path(sha256)
        beside = place.with_name(f".{sha256}.{os.getpid()}.{os.urandom(4).hex()}")
        with place.open("rb") as source, open(os.open(beside, _NEW, 0o600), "wb") as copy:
            while data := source.read(_CHUNK):
                copy.write(data)
        return beside


def _was_left(found: os.stat_result, before: float) -> bool:
    return found.st_nlink == 1 and found.st_ctime < before


def _seal(file: Path, sha256: str) -> None:
    moment = mtime(sha256) * 1_000_000_000
    os.utime(file, ns=(moment, moment))
    os.chmod(file, MODE)


def _lied(sha256: str) -> BadBundle:
    return BadBundle(
        "content",
        f"A content arrived that is not {sha256[:12]}…: its SHA-256 is another.",
        todo=("Send the bytes whose SHA-256 is the name.", "A file may have changed while it was sent: try again."),
    )
