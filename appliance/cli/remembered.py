"""What is kept of a folder between two deployments: the hashes of its files, and what a server was sent last.

It only saves time and bytes: the server hashes again whatever it is sent, and says what it misses.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from appliance.cli.pack import Entry, unreadable
from appliance.errors import HostFailed
from appliance.machine.files import write_whole

FORM = 1
SERVERS = 3  # that a folder was deployed to last
UNSETTLED = 2_000_000_000  # nanoseconds within which a file may change again without its time showing it
MANY = 64  # files that a thread takes at once
Files = dict[str, tuple[str, int]]  # each path with the SHA-256 and size of its content


@dataclass
class Sent:
    """The release that a server made of what it was sent."""

    release: str
    files: Files


@dataclass
class Memory:
    """Of one folder, or of one large file."""

    path: Path
    hashes: dict[str, tuple[int, int, int, str]] = field(default_factory=dict)  # size, time, inode, SHA-256
    sent: dict[str, Sent] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, place: Path) -> "Memory":
        """Nothing is remembered of what can't be read."""
        path = _file_for(place)
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # made by another, or spoilt
            return cls(path)

    def keep(self) -> None:
        """Where nothing can be kept, the next deployment takes a little longer."""
        told = {
            "form": FORM,
            "hashes": self.hashes,
            "sent": {server: vars(one) for server, one in self.sent.items()},
            "uploads": self.uploads,
        }
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self.path, json.dumps(told, separators=(",", ":")), mode=0o600, sync=False)

    def remember_sent(self, server: str, release: str, files: Files) -> None:
        self.sent.pop(server, None)
        self.sent[server] = Sent(release, files)
        for old in list(self.sent)[:-SERVERS]:
            del self.sent[old]

    def hashed(self, entries: list[Entry]) -> Files:
        """Each file's content by its SHA-256, read only where it may have changed."""
        known = {entry.name: sha256 for entry in entries if (sha256 := self._known(entry))}
        fresh = [entry for entry in entries if entry.name not in known]
        parts = [fresh[at : at + MANY] for at in range(0, len(fresh), MANY)]
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "hash") as pool:
            for part in pool.map(_hash_all, parts):
                known.update(part)
        before = time.time_ns() - UNSETTLED
        self.hashes = {
            one.name: (one.size, one.changed, one.inode, known[one.name]) for one in entries if one.changed < before
        }
        return {entry.name: (known[entry.name], entry.size) for entry in entries}

    def _known(self, entry: Entry) -> str:
        *facts, sha256 = self.hashes.get(entry.name, (0, 0, 0, ""))
        return str(sha256) if facts == [entry.size, entry.changed, entry.inode] else ""


def difference(files: Files, before: Mapping[str, tuple[str, int]]) -> tuple[Files, list[str]]:
    """What is new or changed, and what is gone."""
    return (
        {name: content for name, content in files.items() if before.get(name) != content},
        [name for name in before if name not in files],
    )


def _read(path: Path) -> Memory:
    found = json.loads(path.read_bytes())
    if found["form"] != FORM:
        raise ValueError("written in another form")
    sent = {server: Sent(**one) for server, one in found["sent"].items()}
    for one in sent.values():
        one.files = {name: (sha256, size) for name, (sha256, size) in one.files.items()}
    hashes = {name: (size, at, inode, sha256) for name, (size, at, inode, sha256) in found["hashes"].items()}
    return Memory(path, hashes, sent, dict(found["uploads"]))


def _hash_all(entries: list[Entry]) -> dict[str, str]:
    return {entry.name: _hash(entry) for entry in entries}


def _hash(entry: Entry) -> str:
    try:
        with open(entry.path, "rb", buffering=0) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if os.fstat(file.fileno()).st_size != entry.size:
                raise changed(entry)
            return found
    except OSError as why:
        raise unreadable(entry.name, why) from why


def changed(entry: Entry) -> HostFailed:
    return HostFailed(
        f"{entry.name} changed while it was read. Nothing was deployed.",
        code="changed",
        todo=("Let the build end, then run the same command again.",),
    )


def _file_for(place: Path) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    name = hashlib.sha256(os.fsencode(place.resolve())).hexdigest()[:32]
    return Path(base) / "homeport" / "folders" / f"{name}.json"
