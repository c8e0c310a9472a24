"""Accounts elsewhere that are connected with people here."""

from appliance.model.identities import Identity
from appliance.store.db import Connection, Row

_ALL = "SELECT i.*, p.name AS provider FROM identities i JOIN providers p ON p.id = i.provider_id"


def add(db: Connection, one: Identity) -> None:
    db.execute(
        """INSERT INTO identities (id, provider_id, subject, person_id, email, created_at, used_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [one.id, one.provider_id, one.subject, one.person_id, one.email, one.created_at, one.used_at],
    )


def find(db: Connection, provider_id: str, subject: str) -> Identity | None:
    row = db.execute(f"{_ALL} WHERE i.provider_id = ? AND i.subject = ?", [provider_id, subject]).fetchone()
    return _identity(row) if row else None


def of_person(db: Connection, person_id: str) -> tuple[Identity, ...]:
    rows = db.execute(f"{_ALL} WHERE i.person_id = ? ORDER BY p.name, i.id", [person_id])
    return tuple(_identity(row) for row in rows)


def count(db: Connection, provider_id: str) -> int:
    (number,) = db.execute("SELECT count(*) FROM identities WHERE provider_id = ?", [provider_id]).fetchone()
    return int(number)


def used(db: Connection, identity_id: str, at: str) -> None:
    db.execute("UPDATE identities SET used_at = ? WHERE id = ?", [at, identity_id])


def remove(db: Connection, identity_id: str) -> None:
    db.execute("DELETE FROM identities WHERE id = ?", [identity_id])


def _identity(row: Row) -> Identity:
    return Identity(
        row["id"],
        row["provider_id"],
        row["provider"],
        row["subject"],
        row["person_id"],
        row["email"],
        row["created_at"],
        row["used_at"],
    )
