"""One SQLite file: one writer, many readers, WAL."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database as Tools

from appliance.errors import StartFailed
from appliance.store.migrations import migrations

Connection = sqlite3.Connection
Row = sqlite3.Row
NotNow = sqlite3.OperationalError  # locked for too long, or no room on the disk


class _Reader:
    """A connection that closes with the thread that it belongs to: threads come and go."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Database:
    """Readers are one connection a thread; the writer is one connection behind a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._lock = threading.RLock()
        self._writer = self._connect()
        self._watcher, self._watching = self._connect(), threading.Lock()
        self._closed = False

    def read(self) -> Connection:
        """This thread's connection; it can't write."""
        found: _Reader | None = getattr(self._local, "reader", None)
        if found is None:
            found = self._local.reader = _Reader(self._connect())
            found.connection.execute("PRAGMA query_only = ON")
        return found.connection

    def version(self) -> int:
        """A number that changes when anyone has committed anything."""
        with self._watching:  # each connection counts for itself, so one counts for all
            (number,) = self._watcher.execute("PRAGMA data_version").fetchone()
        return int(number)

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[Connection]:
        """The one write transaction; raising takes all of it back. What isn't lasting may go with a power cut."""
        with self._lock:
            if self._closed:
                raise NotNow("the database is closed")
            db = self._writer
            db.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def migrate(self, aside: Path | None) -> None:
        """Bring the file to this program's form, after a copy of it is set aside, unless someone has made one."""
        tools = Tools(self._writer)
        self._refuse_newer(tools)
        pending = migrations.pending(tools)
        if aside and pending and migrations.applied(tools):
            self.copy(aside)
        migrations.apply(tools)

    def pending(self) -> list[str]:
        """The changes that would bring the file to this program's form."""
        return [one.name for one in migrations.pending(Tools(self._writer))]

    def copy(self, aside: Path) -> None:
        """All of it as it is now, in a file of its own, on the disk; whoever writes is not held up."""
        handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with closing(self._connect()) as db:
                db.execute("VACUUM INTO ?", [str(aside)])
            os.fsync(handle)
        finally:
            os.close(handle)

    def close(self) -> None:
        """Whoever is in the middle of writing ends first. Readers close with their threads, never under them."""
        with self._lock, self._watching:
            self._closed = True
            self._writer.close()
            self._watcher.close()
        vars(self._local).clear()

    def _refuse_newer(self, tools: Tools) -> None:
        known = {one.name for one in migrations.pending(tools)} | {one.name for one in migrations.applied(tools)}
        ours = migrations.names()
        newer = sorted(known - ours)
        if newer:
            raise StartFailed(
                f"The database {self.path} was written by a newer Homeport ({newer[-1]}), which this one can't read.",
                code="newer_database",
                todo=("Run the newer file again.", "Or restore a backup that this version made."),
            )

    def _connect(self) -> Connection:
        try:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=20)
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.DatabaseError as why:
            raise StartFailed(
                f"The database {self.path} can't be opened: {why}.",
                todo=("Check that the file is whole and may be written.",),
            ) from why
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.row_factory = sqlite3.Row
        return connection
