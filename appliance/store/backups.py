"""Backups that were taken by jobs."""

from appliance.model.backups import Backup
from appliance.store import paging
from appliance.store.db import Connection, Row
from appliance.store.paging import Page


def add(db: Connection, backup: Backup) -> None:
    names = ", ".join(vars(backup))
    marks = ", ".join("?" for _ in vars(backup))
    db.execute(f"INSERT INTO backups ({names}) VALUES ({marks})", list(vars(backup).values()))  # noqa: S608


def find(db: Connection, backup_id: str) -> Backup | None:
    row = db.execute("SELECT * FROM backups WHERE id = ?", [backup_id]).fetchone()
    return _backup(row) if row else None


def newest(db: Connection, *, cursor: str | None = None, limit: int) -> Page[Backup]:
    sql = "SELECT * FROM backups WHERE 1"
    return paging.page(db, sql, [], _backup, key="id", cursor=cursor, limit=limit, newest_first=True)


def everyone(db: Connection) -> tuple[Backup, ...]:
    """The newest first."""
    return tuple(_backup(row) for row in db.execute("SELECT * FROM backups ORDER BY id DESC"))


def under_way(db: Connection) -> Backup | None:
    row = db.execute("SELECT * FROM backups WHERE status IN ('queued', 'running') LIMIT 1").fetchone()
    return _backup(row) if row else None


def begin(db: Connection, backup_id: str) -> None:
    db.execute("UPDATE backups SET status = 'running', size = 0 WHERE id = ?", [backup_id])


def grow(db: Connection, backup_id: str, size: int) -> None:
    db.execute("UPDATE backups SET size = ? WHERE id = ? AND status = 'running'", [size, backup_id])


def succeed(db: Connection, backup_id: str, *, size: int, sha256: str, note: str, at: str) -> None:
    db.execute(
        "UPDATE backups SET status = 'succeeded', size = ?, sha256 = ?, error = ?, finished_at = ? WHERE id = ?",
        [size, sha256, note or None, at, backup_id],
    )


def fail(db: Connection, backup_id: str, error: str, at: str) -> None:
    db.execute("UPDATE backups SET status = 'failed', error = ?, finished_at = ? WHERE id = ?", [error, at, backup_id])


def remove(db: Connection, backup_id: str) -> None:
    db.execute("DELETE FROM backups WHERE id = ?", [backup_id])


def _backup(row: Row) -> Backup:
    return Backup(**{name: row[name] for name in row.keys()})  # noqa: SIM118 - a row's keys are its columns
