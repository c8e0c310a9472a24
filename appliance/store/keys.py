"""API keys, stored hashed."""

import json
from collections.abc import Sequence

from appliance.model.keys import Key
from appliance.model.places import Place
from appliance.model.scopes import Scope
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, page


def add(db: Connection, key: Key, hashed: str) -> None:
    db.execute(
        """INSERT INTO keys (id, person_id, name, prefix, hash, created_at, expires_at, scope, login)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            key.id,
            key.person_id,
            key.name,
            key.prefix,
            hashed,
            key.created_at,
            key.expires_at,
            scope_text(key.scope),
            int(key.login),
        ],
    )


def of_person(db: Connection, person_id: str) -> tuple[Key, ...]:
    rows = db.execute("SELECT * FROM keys WHERE person_id = ? ORDER BY id DESC", [person_id])
    return tuple(_key(row) for row in rows)


def newest(db: Connection, person_id: str, *, cursor: str | None = None, limit: int = 50) -> Page[Key]:
    """A page of a person's keys."""
    sql = "SELECT * FROM keys WHERE person_id = ?"
    return page(db, sql, [person_id], _key, key="id", cursor=cursor, limit=limit, newest_first=True)


def of_others(db: Connection, person_id: str, most: int) -> tuple[tuple[Key, str], ...]:
    """Keys of everybody else, each with the address of whose it is, the newest first."""
    rows = db.execute(
        """SELECT k.*, p.email FROM keys k JOIN people p ON p.id = k.person_id WHERE k.person_id <> ?
        ORDER BY k.id DESC LIMIT ?""",
        [person_id, most],
    )
    return tuple((_key(row), row["email"]) for row in rows)


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


def names_of(db: Connection, places: Sequence[Place]) -> dict[Place, str]:
    """What places are called now: `blog`, or `blog/staging`. Those that are gone are not among them."""
    found = {}
    for place in places:
        if place.environment_id is None:
            row = db.execute("SELECT name FROM projects WHERE id = ?", [place.project_id]).fetchone()
        else:
            row = db.execute(
                """SELECT p.name || '/' || e.name AS name FROM environments e JOIN projects p ON p.id = e.project_id
                WHERE e.id = ? AND p.id = ?""",
                [place.environment_id, place.project_id],
            ).fetchone()
        if row:
            found[place] = row["name"]
    return found


def scope_text(scope: Scope) -> str:
    """As it stands in a row; what is left out is not kept to anything."""
    said: dict[str, object] = {}
    if scope.places is not None:
        said["places"] = [[place.project_id, place.environment_id] for place in scope.places]
    if scope.permissions is not None:
        said["permissions"] = list(scope.permissions)
    return json.dumps(said)


def scope_of(text: str) -> Scope:
    said = json.loads(text)
    places, permissions = said.get("places"), said.get("permissions")
    return Scope(
        None if places is None else tuple(Place(*one) for one in places),
        None if permissions is None else tuple(permissions),
    )


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
        scope_of(row["scope"]),
        bool(row["login"]),
    )
