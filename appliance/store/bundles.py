"""Bundles."""

from appliance.model.bundles import Bundle
from appliance.store.db import Connection, Row


def add(db: Connection, bundle: Bundle) -> None:
    """Keep a bundle; one that is here already stays as it is."""
    db.execute(
        """INSERT OR IGNORE INTO bundles
            (sha256, size, files, unpacked, filename, created_at, created_by, release, made)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            bundle.sha256,
            bundle.size,
            bundle.files,
            bundle.unpacked,
            bundle.filename,
            bundle.created_at,
            bundle.created_by,
            bundle.release,
            int(bundle.made),
        ],
    )


def set_release(db: Connection, sha256: str, release: str) -> None:
    db.execute("UPDATE bundles SET release = ? WHERE sha256 = ?", [release, sha256])


def find(db: Connection, sha256: str) -> Bundle | None:
    row = db.execute("SELECT * FROM bundles WHERE sha256 = ?", [sha256]).fetchone()
    return _bundle(row) if row else None


def of_release(db: Connection, release: str) -> tuple[Bundle, ...]:
    """Zips that became this release."""
    rows = db.execute("SELECT * FROM bundles WHERE release = ? AND made = 0", [release])
    return tuple(_bundle(row) for row in rows)


def with_files_of(db: Connection, name: str) -> Bundle | None:
    """A bundle of exactly the files of a release; rather one that was uploaded, for that one is a file."""
    row = db.execute("SELECT * FROM bundles WHERE release = ? ORDER BY made, created_at LIMIT 1", [name]).fetchone()
    return _bundle(row) if row else None


def every_name(db: Connection) -> set[str]:
    return {row["sha256"] for row in db.execute("SELECT sha256 FROM bundles")}


def remove(db: Connection, sha256: str) -> None:
    db.execute("DELETE FROM bundles WHERE sha256 = ?", [sha256])


def wanted(db: Connection, sha256: str, *, but_by: str) -> bool:
    """Whether any other deployment of it came to something, or still may."""
    row = db.execute(
        """SELECT 1 FROM deployments WHERE bundle = ? AND id <> ? AND status IN ('queued', 'running', 'succeeded')
        LIMIT 1""",
        [sha256, but_by],
    ).fetchone()
    return row is not None


def _bundle(row: Row) -> Bundle:
    return Bundle(
        row["sha256"],
        row["size"],
        row["files"],
        row["unpacked"],
        row["filename"],
        row["created_at"],
        row["created_by"],
        row["release"],
        bool(row["made"]),
    )
