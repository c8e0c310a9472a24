"""A folder goes up file by file: the server says what it misses, and only that is sent."""

import hashlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import click

from appliance.cli.pack import PIECE, PRESSED, Entry, unreadable
from appliance.cli.remembered import Files, Memory, changed, difference
from appliance.cli.show import counted, note, size
from appliance.client import Client, ClientError, Content, DeploymentData
from appliance.errors import HomeportError, HostFailed

AT_ONCE = 4  # batches
BATCH = 4 << 20  # bytes of files in a batch, unless one file has more
BATCH_FILES = 1_000
WHOLE = 8 << 20  # a file up to this size is looked at once more before it is sent
AHEAD = 1 << 20  # bytes that go out before anyone asked: sooner there than a question and its answer
ROUNDS = 12  # of asking and sending: a server names only so many contents at once


class NotSpoken(HomeportError):
    """The server is older than this way of sending a folder."""


class Delta:
    """One folder on its way."""

    def __init__(self, folder: Path, entries: Sequence[Entry]) -> None:
        self._memory = Memory.of(folder)
        self._entries = list(entries)
        self._total = sum(entry.size for entry in entries)
        self._lock = threading.Lock()
        self._wire = self._new = 0

    def deploy(self, client: Client, project: str, environment: str) -> DeploymentData:
        try:
            files = self._memory.hashed(self._entries)
            deployment = self._until_taken(client, project, environment, files)
            with suppress(HomeportError, KeyError):  # what isn't remembered is only sent again
                if release := client.bundle(deployment["bundle"])["release"]:
                    self._memory.remember_sent(client.server, release, files)
        finally:
            self._memory.keep()
        return deployment

    def _until_taken(self, client: Client, project: str, environment: str, files: Files) -> DeploymentData:
        known = self._memory.sent.get(client.server)
        differs, removed = difference(files, known.files) if known else (files, [])
        base = known.release if known else None
        if known and differs and sum(size for _, size in differs.values()) <= AHEAD:
            self._send(client, files, list(dict.fromkeys(sha256 for sha256, _ in differs.values())))
        for _ in range(ROUNDS):
            try:
                found = client.deploy_files(project, environment, differs, base=base, removed=removed or None)
            except ClientError as why:
                if why.code == "no_base" and base:
                    base, differs, removed = None, files, []
                elif why.code == "contents_missing" and why.missing:
                    self._send(client, files, why.missing)
                elif _is_old(why):
                    raise NotSpoken("The server takes zips only.") from why
                else:
                    raise
            else:
                self._say_saved()
                return found
        raise HostFailed(
            "The server goes on missing what it was sent.", todo=("Run the same command again.",), code="not_taken"
        )

    def _say_saved(self) -> None:
        new = "none" if not self._new else f"{self._new:,}"
        verb = "was" if self._new == 1 else "were"
        of_all = f"{new} of {counted(len(self._entries), 'file')} {verb} new"
        saved = f" instead of {size(self._total)}" if self._wire < self._total else ""  # tiny files grow in packing
        note(f"{of_all}: {size(self._wire)}{saved}")

    def _send(self, client: Client, files: Files, missing: Sequence[str]) -> None:
        by_content = {files[entry.name][0]: entry for entry in self._entries}
        wanted = [(sha256, by_content[sha256]) for sha256 in missing if sha256 in by_content]
        length = sum(entry.size for _, entry in wanted)
        bar = click.progressbar(length=length, file=sys.stderr, hidden=not sys.stderr.isatty(), width=0)
        with bar, ThreadPoolExecutor(AT_ONCE, "send") as pool:
            sending = [pool.submit(self._send_batch, client, batch, bar.update) for batch in _batches(wanted)]
            try:
                for one in sending:
                    one.result()
            except BaseException:
                for one in sending:
                    one.cancel()
                raise

    def _send_batch(self, client: Client, batch: list[tuple[str, Entry]], done: Callable[[int], None]) -> None:
        def told(count: int) -> None:
            with self._lock:
                done(count)

        def sent(count: int) -> None:
            with self._lock:
                self._wire += count

        pack = not PRESSED.fullmatch(batch[0][1].name)
        arrived = client.send_contents((_content(*one, told) for one in batch), pack=pack, sent=sent)
        with self._lock:
            self._new += arrived["kept"]


def _batches(wanted: Iterable[tuple[str, Entry]]) -> Iterator[list[tuple[str, Entry]]]:
    """What is packed already goes by itself."""
    for pressed in (False, True):
        batch: list[tuple[str, Entry]] = []
        room = BATCH
        for sha256, entry in wanted:
            if bool(PRESSED.fullmatch(entry.name)) != pressed:
                continue
            if batch and (entry.size > room or len(batch) == BATCH_FILES):
                yield batch
                batch, room = [], BATCH
            batch.append((sha256, entry))
            room -= entry.size
        if batch:
            yield batch


def _content(sha256: str, entry: Entry, told: Callable[[int], None]) -> Content:
    return Content(sha256, entry.size, _pieces(sha256, entry, told))


def _pieces(sha256: str, entry: Entry, told: Callable[[int], None]) -> Iterator[bytes]:
    """The bytes that were hashed, and no others: a file that changed meanwhile stops it."""
    if entry.size <= WHOLE:
        data = _read(entry)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise changed(entry)
        told(len(data))
        yield data
        return
    left = entry.size
    try:
        with open(entry.path, "rb") as file:
            while left and (data := file.read(min(PIECE, left))):
                left -= len(data)
                told(len(data))
                yield data
    except OSError as why:
        raise unreadable(entry.name, why) from why
    if left:
        raise changed(entry)


def _read(entry: Entry) -> bytes:
    try:
        with open(entry.path, "rb", buffering=0) as file:
            return file.read()
    except OSError as why:
        raise unreadable(entry.name, why) from why


def _is_old(why: ClientError) -> bool:
    """How a server says no that has never heard of files one by one, or of a packed body."""
    return why.code in ("not_json", "wrong_kind") or (why.code == "invalid" and "bundle" in why.errors)
