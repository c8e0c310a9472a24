"""The journal: what is about to be changed outside the database, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from appliance.store.db import Connection


@dataclass(frozen=True)
class Entry:
    id: int
    kind: str
    subject: str
    intent: dict[str, object]


def begin(db: Connection, kind: str, subject: str, intent: Mapping[str, object], at: str) -> int:
    cursor = db.execute(
        "INSERT INTO journal (kind, subject, intent, status, started_at) VALUES (?, ?, ?, 'doing', ?)",
        [kind, subject, json.dumps(dict(intent)), at],
    )
    return int(cursor.lastrowid or 0)


def end(db: Connection, entry_id: int, status: str, outcome: str, at: str) -> None:
    """`done`, `undone` or `failed`, with what happened."""
    db.execute("UPDATE journal SET status = ?, outcome = ?, ended_at = ? WHERE id = ?", [status, outcome, at, entry_id])


def unfinished(db: Connection) -> tuple[Entry, ...]:
    rows = db.execute("SELECT * FROM journal WHERE status = 'doing' ORDER BY id")
    return tuple(Entry(row["id"], row["kind"], row["subject"], json.loads(row["intent"])) for row in rows)


def subjects(db: Connection, kind: str) -> list[str]:
    """What entries of this kind were about that did not come to a good end."""
    sql = "SELECT DISTINCT subject FROM journal WHERE kind = ? AND status <> 'done' ORDER BY subject"
    return [row["subject"] for row in db.execute(sql, [kind])]


def find(db: Connection, entry_id: int) -> Entry | None:
    row = db.execute("SELECT * FROM journal WHERE id = ? AND status = 'doing'", [entry_id]).fetchone()
    return Entry(row["id"], row["kind"], row["subject"], json.loads(row["intent"])) if row else None


def close(db: Connection, kind: str, subject: str, *, status: str, outcome: str, at: str) -> None:
    """End whatever was begun of this kind for this subject."""
    db.execute(
        "UPDATE journal SET status = ?, outcome = ?, ended_at = ? WHERE kind = ? AND subject = ? AND status = 'doing'",
        [status, outcome, at, kind, subject],
    )


def trim(db: Connection, before: str) -> None:
    db.execute("DELETE FROM journal WHERE status <> 'doing' AND ended_at < ?", [before])
