"""Write a backup: one file, while everything goes on."""

import fcntl
import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from appliance import __version__
from appliance.backups import form
from appliance.errors import Cancelled, HostFailed
from appliance.machine import clock, faults, files, keyring, sealing
from appliance.machine.sealing import Master
from appliance.machine.shelf import Shelf
from appliance.machine.tar import CHUNK, Sink, Writer
from appliance.model import manifests
from appliance.store import copies, saved, sealed
from appliance.store.db import Connection

SECRETS = (keyring.NAME,)
KEPT_IN = "backups"


@dataclass(frozen=True)
class Written:
    """A backup that is whole."""

    size: int
    sha256: str
    made_at: str
    bundles: int
    keys: bool
    left_out: tuple[str, ...]  # bundles that were missing or damaged before


def write_backup(
    data: Path, sink: Sink, *, at: datetime, passphrase: str = "", stopped: Callable[[], bool] = lambda: False
) -> Written:
    """Every bundle that the database names is in it, or is named as left out."""
    keys = keyring.there(data)  # one of these or of those that are there after it is the copy's: it may be exchanged
    with files.refusals(), _copied(data) as copy, copies.opened(copy) as db:
        tar = Writer(_Stoppable(sink, stopped), moment=int(at.timestamp()), aside=copy.parent)
        try:
            return _Backup(data, copy, db, tar, passphrase, [*keys, *keyring.there(data)]).write(clock.text(at))
        finally:
            tar.close()


@dataclass
class _Stoppable:
    """A backup may take long; the process that takes it may be asked to end."""

    sink: Sink
    stopped: Callable[[], bool]

    def write(self, data: bytes, /) -> None:
        if self.stopped():
            raise Cancelled("Homeport was stopped while the backup was taken.", code="stopped")
        self.sink.write(data)


@dataclass
class _Backup:
    data: Path
    copy: Path
    db: Connection
    tar: Writer
    passphrase: str
    keys: list[Master] = field(repr=False)
    left_out: list[str] = field(default_factory=list)
    contents: set[bytes] = field(default_factory=set)  # of bundles that were deployed file by file
    bundles: int = 0

    def write(self, made_at: str) -> Written:
        instance = saved.meta(self.db, "instance") or ""
        about = form.Info(form.FORMAT, __version__, copies.form(self.db), made_at, instance, bool(self.passphrase))
        self._text(form.INFO, about.written())
        if self.passphrase:
            self._text(form.KEYS, self._keys(about.written()))
        self._logs()
        self._bundles()
        faults.point("backup")
        if self.left_out:
            self._text(form.LEFT_OUT, json.dumps(self.left_out).encode())
        self._database()
        sha256 = self.tar.finish()
        return Written(self.tar.size, sha256, made_at, self.bundles, about.keys, tuple(self.left_out))

    def _text(self, name: str, text: bytes) -> None:
        self.tar.add(name, len(text), [text])

    def _keys(self, about: bytes) -> bytes:
        """Locked with the passphrase, and bound to this backup."""
        wanted = sealed.key_of(self.db)
        fitting = [one for one in self.keys if one.id == (wanted or one.id)]
        if not fitting:
            raise HostFailed(
                f"{self.data / keyring.NAME} is not the key that the database was sealed with.",
                code="other_secret",
                todo=("Run `homeport doctor`.", "Take the backup without keys."),
            )
        secrets = {keyring.NAME: fitting[0].secret.hex()}
        return sealing.lock_up(self.passphrase, json.dumps(secrets).encode(), bound_to=about)

    def _logs(self) -> None:
        """As far as they are written now: one that grows goes on in the next backup."""
        for log in sorted((self.data / "logs").glob("*.log")):
            if form.LOG.fullmatch(f"logs/{log.name}"):
                self._file(f"logs/{log.name}", log)

    def _bundles(self) -> None:
        for sha256, made in copies.bundles(self.db):
            listed = self.data / "bundles" / sha256[:2] / f"{sha256}.json"
            forms = (self._zip, self._made)  # one that came both ways may be here in either
            if any(kept(listed, sha256) for kept in (reversed(forms) if made else forms)):
                self.bundles += 1
            elif self._gone(sha256):
                copies.forget_bundle(self.db, sha256)
            else:
                self.left_out.append(sha256)

    def _zip(self, listed: Path, sha256: str) -> bool:
        path = listed.with_suffix(".zip")
        return _sound(path, sha256) and self._file(f"bundles/{sha256[:2]}/{path.name}", path, sha256)

    def _made(self, listed: Path, sha256: str) -> bool:
        """The list of its files, and each content once."""
        try:
            text = listed.read_bytes()
            manifest = manifests.read(text)
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if not all(self._content(piece.sha256) for piece in manifest.values()):
            return False
        self._text(f"bundles/{sha256[:2]}/{listed.name}", text)
        return True

    def _content(self, sha256: str) -> bool:
        if bytes.fromhex(sha256) in self.contents:
            return True
        path = Shelf(self.data / "files").path(sha256)
        if not (_sound(path, sha256) and self._file(f"files/{sha256[:2]}/{sha256}", path, sha256)):
            return False
        self.contents.add(bytes.fromhex(sha256))
        return True

    def _gone(self, sha256: str) -> bool:
        """Whether it was refused and removed after the copy of the database was taken."""
        with copies.opened(self.data / "homeport.db") as live:
            return not copies.has_bundle(live, sha256)

    def _file(self, name: str, path: Path, sha256: str = "") -> bool:
        """False when it went away meanwhile."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        with open(handle, "rb") as source:
            size = os.fstat(handle).st_size
            found = self.tar.add(name, size, _first(source.read, size))
        if sha256 and found != sha256:
            raise HostFailed(f"{path} could not be read twice the same way.", todo=("Look at the disk: `dmesg`.",))
        return True

    def _database(self) -> None:
        packed = self.copy.with_suffix(".gz")
        with self.copy.open("rb") as source, packed.open("xb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as to:
            shutil.copyfileobj(source, to, CHUNK)
        self._file(form.DATABASE, packed)


@contextmanager
def _copied(data: Path) -> Iterator[Path]:
    """The database as of now, in a folder that goes afterwards."""
    if not (data / "homeport.db").exists():
        raise HostFailed(
            f"There is no Homeport in {data}: it has no database.",
            code="no_database",
            todo=("Name its data folder with --data.",),
        )
    folder = data / KEPT_IN / f".{clock.new_id()}.taking"
    folder.mkdir(mode=0o700, parents=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        copy = folder / "homeport.db"
        copies.take(data / "homeport.db", copy)
        yield copy
    finally:
        files.remove_tree(folder)
        os.close(lock)


def sweep(data: Path) -> None:
    """What is left of backups whose process was killed; one that is being taken holds its lock."""
    for folder in (data / KEPT_IN).glob(".*.taking"):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            files.remove_tree(folder)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)


def _first(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    while size and (chunk := read(min(size, CHUNK))):
        size -= len(chunk)
        yield chunk


def _sound(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest() == sha256
    except OSError:
        return False
