"""Settings that were saved, and a few facts about this appliance."""

from appliance.store.db import Connection


def values(db: Connection) -> dict[str, str]:
    return {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM saved")}


def rows(db: Connection) -> dict[str, tuple[str, str]]:
    """When each was saved, and by whom."""
    return {row["name"]: (row["updated_at"], row["updated_by"]) for row in db.execute("SELECT * FROM saved")}


def save(db: Connection, name: str, value: str, at: str, by: str) -> None:
    db.execute("INSERT OR REPLACE INTO saved VALUES (?, ?, ?, ?)", [name, value, at, by])


def replace(db: Connection, name: str, value: str) -> None:
    """The same in another form: nobody saved it anew."""
    db.execute("UPDATE saved SET value = ? WHERE name = ?", [value, name])


def forget(db: Connection, name: str) -> None:
    db.execute("DELETE FROM saved WHERE name = ?", [name])


def meta(db: Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE name = ?", [name]).fetchone()
    return row["value"] if row else None


def set_meta(db: Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [name, value])
