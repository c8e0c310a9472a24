"""Uploads in pieces. How much of one has arrived is not here: the length of its file says so."""

from appliance.model.uploads import Upload
from appliance.store.db import Connection, Row


def add(db: Connection, upload: Upload) -> None:
    db.execute(
        """INSERT INTO uploads (id, actor, length, metadata, bundle, created_at, expires_at)
            VALUES (?, ?, ?, ?, NULL, ?, ?)""",
        [upload.id, upload.actor, upload.length, upload.metadata, upload.created_at, upload.expires_at],
    )


def find(db: Connection, upload: str) -> Upload | None:
    row = db.execute("SELECT * FROM uploads WHERE id = ?", [upload]).fetchone()
    return _upload(row) if row else None


def everyone(db: Connection) -> tuple[Upload, ...]:
    return tuple(_upload(row) for row in db.execute("SELECT * FROM uploads ORDER BY id"))


def expired(db: Connection, at: str) -> tuple[Upload, ...]:
    return tuple(_upload(row) for row in db.execute("SELECT * FROM uploads WHERE expires_at <= ? ORDER BY id", [at]))


def put_off(db: Connection, upload: str, expires_at: str) -> None:
    db.execute("UPDATE uploads SET expires_at = ? WHERE id = ?", [expires_at, upload])


def set_bundle(db: Connection, upload: str, sha256: str) -> None:
    db.execute("UPDATE uploads SET bundle = ? WHERE id = ?", [sha256, upload])


def remove(db: Connection, upload: str) -> None:
    db.execute("DELETE FROM uploads WHERE id = ?", [upload])


def _upload(row: Row) -> Upload:
    return Upload(
        row["id"],
        row["actor"],
        row["length"],
        row["metadata"],
        row["bundle"],
        row["created_at"],
        row["expires_at"],
    )
