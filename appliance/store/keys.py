"""API keys, stored hashed."""

from appliance.model.keys import Key
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, page


def add(db: Connection, key: Key, hashed: str) -> None:
    db.execute(
        "INSERT INTO keys (id, person_id, name, prefix, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [key.id, key.person_id, key.name, key.prefix, hashed, key.created_at, key.expires_at],
    )


def of_person(db: Connection, person_id: str) -> tuple[Key, ...]:
    rows = db.execute("SELECT * FROM keys WHERE person_id = ? ORDER BY id DESC", [person_id])
    return tuple(_key(row) for row in rows)


def newest(db: Connection, person_id: str, *, cursor: str | None = None, limit: int = 50) -> Page[Key]:
    """A page of a person's keys."""
    sql = "SELECT * FROM keys WHERE person_id = ?"
    return page(db, sql, [person_id], _key, key="id", cursor=cursor, limit=limit, newest_first=True)


def find(db: Connection, key_id: str) -> Key | None:
    row = db.execute("SELECT * FROM keys WHERE id = ?", [key_id]).fetchone()
    return _key(row) if row else None


def find_by_hash(db: Connection, hashed: str) -> Key | None:
    row = db.execute("SELECT * FROM keys WHERE hash = ?", [hashed]).fetchone()
    return _key(row) if row else None


def used(db: Connection, key_id: str, at: str, ip: str | None) -> None:
    db.execute("UPDATE keys SET last_used_at = ?, last_used_from = ? WHERE id = ?", [at, ip, key_id])


def remove(db: Connection, key_id: str) -> None:
    db.execute("DELETE FROM keys WHERE id = ?", [key_id])


def _key(row: Row) -> Key:
    return Key(
        row["id"],
        row["name"],
        row["prefix"],
        row["person_id"],
        row["created_at"],
        row["expires_at"],
        row["last_used_at"],
        row["last_used_from"],
    )
