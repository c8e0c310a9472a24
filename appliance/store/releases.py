"""Releases: which there are, whether the disk is known to have all of one, and whether one is known to be needed.

`needed_with` is the number of releases kept with which it was last seen to be needed. Triggers forget it whenever
that may have changed, so that only those in doubt are ever looked at again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.store.db import Connection, Row


@dataclass(frozen=True)
class Kept:
    name: str
    files: int
    unpacked: int
    made_at: str
    written: bool  # all of it was seen to be on the disk


def add(db: Connection, name: str, *, files: int, unpacked: int, at: str) -> None:
    db.execute(
        """INSERT INTO releases (name, files, unpacked, made_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
            files = excluded.files, unpacked = excluded.unpacked, made_at = excluded.made_at, written = 0,
            needed_with = NULL""",
        [name, files, unpacked, at],
    )


def find(db: Connection, name: str) -> Kept | None:
    row = db.execute("SELECT * FROM releases WHERE name = ?", [name]).fetchone()
    return _kept(row) if row else None


def everyone(db: Connection) -> tuple[Kept, ...]:
    return tuple(_kept(row) for row in db.execute("SELECT * FROM releases ORDER BY name"))


def count(db: Connection) -> int:
    (number,) = db.execute("SELECT n FROM release_counts").fetchone()
    return int(number)


def doubtful(db: Connection, kept: int) -> tuple[Kept, ...]:
    """Those that may not be needed where so many are kept. By `+name`, or all would be read in that order."""
    rows = db.execute("SELECT * FROM releases WHERE needed_with IS NULL OR needed_with > ? ORDER BY +name", [kept])
    return tuple(_kept(row) for row in rows)


def set_needed(db: Connection, names: Iterable[str], kept: int) -> None:
    db.executemany("UPDATE releases SET needed_with = ? WHERE name = ?", ((kept, name) for name in names))


def unwritten(db: Connection) -> tuple[str, ...]:
    return tuple(row["name"] for row in db.execute("SELECT name FROM releases WHERE written = 0 ORDER BY name"))


def set_written(db: Connection, name: str) -> None:
    db.execute("UPDATE releases SET written = 1 WHERE name = ?", [name])


def remove(db: Connection, name: str) -> None:
    db.execute("DELETE FROM releases WHERE name = ?", [name])


def _kept(row: Row) -> Kept:
    return Kept(row["name"], row["files"], row["unpacked"], row["made_at"], bool(row["written"]))
