"""Releases: which there are, and whether the disk is known to have all of one."""

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
        "INSERT OR REPLACE INTO releases (name, files, unpacked, made_at, written) VALUES (?, ?, ?, ?, 0)",
        [name, files, unpacked, at],
    )


def find(db: Connection, name: str) -> Kept | None:
    row = db.execute("SELECT * FROM releases WHERE name = ?", [name]).fetchone()
    return _kept(row) if row else None


def everyone(db: Connection) -> tuple[Kept, ...]:
    return tuple(_kept(row) for row in db.execute("SELECT * FROM releases ORDER BY name"))


def unwritten(db: Connection) -> tuple[str, ...]:
    return tuple(row["name"] for row in db.execute("SELECT name FROM releases WHERE written = 0 ORDER BY name"))


def set_written(db: Connection, name: str) -> None:
    db.execute("UPDATE releases SET written = 1 WHERE name = ?", [name])


def remove(db: Connection, name: str) -> None:
    db.execute("DELETE FROM releases WHERE name = ?", [name])


def _kept(row: Row) -> Kept:
    return Kept(row["name"], row["files"], row["unpacked"], row["made_at"], bool(row["written"]))
