"""Providers that people sign in through."""

from appliance.model.providers import Provider
from appliance.store.db import Connection, Row


def add(db: Connection, one: Provider) -> None:
    db.execute(
        """INSERT INTO providers (id, name, kind, issuer, client_id, secret, second_factor, created_at, created_by)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            one.id,
            one.name,
            one.kind,
            one.issuer,
            one.client_id,
            one.secret,
            one.second_factor,
            one.created_at,
            one.created_by,
        ],
    )


def everyone(db: Connection) -> tuple[Provider, ...]:
    return tuple(_provider(row) for row in db.execute("SELECT * FROM providers ORDER BY name"))


def find(db: Connection, provider_id: str) -> Provider | None:
    row = db.execute("SELECT * FROM providers WHERE id = ?", [provider_id]).fetchone()
    return _provider(row) if row else None


def find_by_name(db: Connection, name: str) -> Provider | None:
    row = db.execute("SELECT * FROM providers WHERE name = ?", [name]).fetchone()
    return _provider(row) if row else None


def change(db: Connection, one: Provider) -> None:
    db.execute(
        "UPDATE providers SET name = ?, client_id = ?, secret = ?, second_factor = ? WHERE id = ?",
        [one.name, one.client_id, one.secret, one.second_factor, one.id],
    )


def remove(db: Connection, provider_id: str) -> None:
    db.execute("DELETE FROM providers WHERE id = ?", [provider_id])


def use_state(db: Connection, hashed: str, until: str, now: str) -> bool:
    """False where this one was used before."""
    db.execute("DELETE FROM used_states WHERE expires_at < ?", [now])
    return db.execute("INSERT OR IGNORE INTO used_states VALUES (?, ?)", [hashed, until]).rowcount == 1


def _provider(row: Row) -> Provider:
    return Provider(
        row["id"],
        row["name"],
        row["kind"],
        row["issuer"],
        row["client_id"],
        row["secret"],
        bool(row["second_factor"]),
        row["created_at"],
        row["created_by"],
    )
