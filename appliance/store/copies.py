"""A copy of the database in a file of its own: as a backup takes it, and as a restore finds it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database as Tools

from appliance.errors import BadBackup, HostFailed
from appliance.store.db import Connection, Database
from appliance.store.migrations import migrations


def take(source: Path, to: Path) -> None:
    """A copy as of one moment, however much is being written; brought to this program's form."""
    try:
        with closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=20)) as db:
            db.execute("VACUUM INTO ?", [str(to)])
    except sqlite3.Error as why:
        raise HostFailed(
            f"The database {source} can't be copied: {why}.",
            todo=("Check that there is room on the disk, and run `homeport doctor`.",),
        ) from why
    to.chmod(0o600)
    aside = to.with_name(f"{to.name}.before")
    with closing(Database(to)) as database:
        database.migrate(aside)
    with opened(to) as db:
        db.execute("PRAGMA journal_mode = DELETE")  # one file, whatever is written to it
    aside.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """BadBackup where it is no database of ours."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as db:
        db.row_factory = sqlite3.Row
        try:
            yield db
        except sqlite3.DatabaseError as why:
            raise BadBackup(f"The database in it can't be read: {why}.", code="damaged") from why


def form(db: Connection) -> list[str]:
    """The steps that brought it to its form."""
    return sorted(one.name for one in migrations.applied(Tools(db)))


def known_form() -> set[str]:
    return migrations.names()


def bundles(db: Connection) -> list[tuple[str, bool]]:
    """Each bundle, and whether it was deployed file by file. One of an older form has none that were."""
    columns = {row["name"] for row in db.execute("PRAGMA table_info(bundles)")}
    made = "made" if "made" in columns else "0"
    return [(row[0], bool(row[1])) for row in db.execute(f"SELECT sha256, {made} FROM bundles ORDER BY sha256")]  # noqa: S608


def has_bundle(db: Connection, sha256: str) -> bool:
    return db.execute("SELECT 1 FROM bundles WHERE sha256 = ?", [sha256]).fetchone() is not None


def forget_bundle(db: Connection, sha256: str) -> None:
    db.execute("DELETE FROM bundles WHERE sha256 = ?", [sha256])


def flaw(db: Connection) -> str:
    """What SQLite finds wrong with it; empty when that is nothing."""
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return "" if found == "ok" else str(found)


def settle(db: Connection, at: str) -> None:
    """What was true on the host where it was taken and isn't on the one where it is put back."""
    tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table in ("setup_links", "uploads", "releases"):
        if table in tables:
            db.execute(f"DELETE FROM {table}")  # noqa: S608
    if "backups" in tables:
        db.execute(
            """UPDATE backups SET status = 'failed', error = 'It was not finished before the host was restored.',
                finished_at = ? WHERE status IN ('queued', 'running')""",
            [at],
        )
        db.execute("DELETE FROM jobs WHERE kind = 'backup'")


def in_use(db: Connection) -> bool:
    """Whether anyone or anything is in it."""
    return db.execute("SELECT 1 FROM people UNION ALL SELECT 1 FROM projects LIMIT 1").fetchone() is not None
