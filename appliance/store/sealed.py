"""Where secrets are kept, encrypted: every place there is, so that none is left behind when the key is exchanged."""

from collections.abc import Callable, Iterator

from appliance.store.db import Connection

PLACES = {  # table: what names a row, and what holds the secret
    "saved": ("name", "value"),
    "mails": ("id", "body"),
    "old_keys": ("id", "sealed"),
    "providers": ("id", "secret"),
    "totp": ("person_id", "secret"),
    "channel_secrets": ("id", "value"),
    "acme_accounts": ("directory", "private"),
    "variables": ("id", "value"),
    "variable_sets": ("id", "value"),
}
# Told to somebody else, besides what is saved in settings: an answer could repeat it.
SPOKEN = ("providers", "channel_secrets")


def key_of(db: Connection) -> str | None:
    """Which key it is sealed with; None where it is empty, or of an earlier form."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is None:
        return None
    row = db.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()
    return row["value"] if row else None


def set_key(db: Connection, key_id: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES ('secret', ?)", [key_id])


def place(table: str, row: str) -> str:
    """What a secret is bound to: it opens in this row alone."""
    return f"{table}.{PLACES[table][1]} {row}"


def every(db: Connection, tables: tuple[str, ...] = tuple(PLACES)) -> Iterator[tuple[str, str, str]]:
    """Table, row and sealed text, which begins with a mark of its own."""
    for table in tables:
        name, column = PLACES[table]
        sql = f"SELECT {name}, {column} FROM {table} WHERE {column} GLOB 'hp1.*'"  # noqa: S608
        for row in db.execute(sql).fetchall():
            yield table, row[0], row[1]


def exchange(db: Connection, wrap_anew: Callable[[str, str], str | None]) -> tuple[int, int]:
    """Each for its form under another key; says how many there are, and how many could not be opened."""
    done = lost = 0
    for table, row, sealed in every(db):
        name, column = PLACES[table]
        if (now := wrap_anew(place(table, row), sealed)) is None:
            lost += 1
            continue
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {name} = ?", [now, row])  # noqa: S608
        done += 1
    return done, lost


def keep_old_key(db: Connection, key_id: str, purpose: str, sealed: str, at: str) -> None:
    db.execute("INSERT OR REPLACE INTO old_keys VALUES (?, ?, ?, ?)", [key_id, purpose, sealed, at])


def old_keys(db: Connection, purpose: str) -> list[tuple[str, str]]:
    """Id and sealed key, the oldest first."""
    rows = db.execute("SELECT id, sealed FROM old_keys WHERE purpose = ? ORDER BY retired_at, id", [purpose])
    return [(row["id"], row["sealed"]) for row in rows]


def forget_keys(db: Connection) -> None:
    """The former ones, and which one it is sealed with now."""
    db.execute("DELETE FROM meta WHERE name = 'secret'")
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'old_keys'").fetchone():  # not in an earlier form
        db.execute("DELETE FROM old_keys")
