"""Links to a new password, by the hash of what is in them."""

from appliance.store.db import Connection


def add(db: Connection, hashed: str, person_id: str, *, until: str, now: str) -> None:
    db.execute("DELETE FROM password_links WHERE expires_at <= ?", [now])
    db.execute("INSERT INTO password_links VALUES (?, ?, ?)", [hashed, person_id, until])


def person(db: Connection, hashed: str, now: str) -> str | None:
    """Whose it is, while it works."""
    row = db.execute("SELECT person_id FROM password_links WHERE hash = ? AND expires_at > ?", [hashed, now]).fetchone()
    return row["person_id"] if row else None


def forget(db: Connection, person_id: str) -> None:
    db.execute("DELETE FROM password_links WHERE person_id = ?", [person_id])
