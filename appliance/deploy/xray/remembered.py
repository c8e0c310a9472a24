"""What the contents of a release said when they were read, so that the next one reads only what is new."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from appliance.context import Context
from appliance.deploy.xray import facts, tokens
from appliance.deploy.xray.facts import Facts
from appliance.deploy.xray.tokens import Token
from appliance.store import xrays

FEW = 100  # contents that are read again as quickly
MOST = 16 << 20  # bytes that are kept of one release; what is beyond is read again
_NOTHING = Facts()


class Memory:
    """Facts by content and kind, each as it was written: only what is asked for is taken apart."""

    def __init__(self, written: bytes = b"") -> None:
        self._before = dict(line.split(b"\t", 1) for line in written.splitlines())
        self._now: dict[bytes, bytes] = {}
        self._size = 0
        self.new = 0

    def find(self, sha256: str, kind: str) -> Facts | None:
        key = _key(sha256, kind)
        line = self._before.get(key)
        if line is None:
            return None
        self._keep(key, line)
        return _read(line) if line else _NOTHING

    def add(self, sha256: str, kind: str, said: Facts) -> None:
        self.new += 1
        self._keep(_key(sha256, kind), b"" if said == _NOTHING else json.dumps(said).encode("ascii"))

    def written(self) -> bytes:
        """What was asked for or added; the rest is not in this release."""
        return b"\n".join(_lines(self._now))

    @property
    def count(self) -> int:
        return len(self._now)

    def _keep(self, key: bytes, line: bytes) -> None:
        self._size += len(key) + len(line)
        if self._size <= MOST:
            self._now[key] = line


def of_release(ctx: Context, *names: str | None) -> Memory:
    """Of the first of these releases of which anything is remembered."""
    for name in names:
        found = xrays.remembered(ctx.db.read(), name, _version()) if name else None
        if found is not None:
            return Memory(zlib.decompress(found))
    return Memory()


def keep(ctx: Context, name: str, memory: Memory) -> None:
    """For as long as the release is kept."""
    if memory.count < FEW or (not memory.new and xrays.remembered(ctx.db.read(), name, _version()) is not None):
        return
    body = zlib.compress(memory.written(), 1)
    with ctx.write(lasting=False) as db:
        xrays.remember(db, name, _version(), body)


@cache
def _version() -> str:
    """Of those who read: once they change, nothing that is remembered counts any more."""
    sources = (Path(str(one.__file__)).read_bytes() for one in (facts, tokens))
    return hashlib.sha256(b"".join(sources)).hexdigest()


def _key(sha256: str, kind: str) -> bytes:
    return f"{sha256} {kind}".encode()


def _lines(kept: dict[bytes, bytes]) -> Iterator[bytes]:
    return (b"%s\t%s" % one for one in kept.items())


def _read(line: bytes) -> Facts:
    links, loads, parts, base, generator, module, given_away = json.loads(line)
    found = tuple(Token(*one) for one in given_away)
    return Facts(tuple(links), tuple(loads), tuple(parts), base, generator, module, found)
