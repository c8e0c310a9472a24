"""People, their sessions, and the set-up link."""

from appliance.model.people import Person, Portrait
from appliance.store import factors, grants
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, like, page

# When someone was last seen: what they did last, or what came in for them last.
PORTRAIT = """SELECT p.*,
    max(
        coalesce((SELECT max(coalesce(s.seen_at, s.created_at)) FROM sessions s WHERE s.person_id = p.id), ''),
        coalesce((SELECT max(k.last_used_at) FROM keys k WHERE k.person_id = p.id), ''),
        coalesce((SELECT a.at FROM activity a WHERE a.actor = p.email AND a.at >= p.created_at
            ORDER BY a.id DESC LIMIT 1), '')
    ) AS seen FROM people p"""


def anyone(db: Connection) -> bool:
    return db.execute("SELECT 1 FROM people LIMIT 1").fetchone() is not None


def add(db: Connection, person: Person, password: str) -> None:
    db.execute(
        "INSERT INTO people VALUES (?, ?, ?, ?, ?)", [person.id, person.email, password, person.role, person.created_at]
    )


def find(db: Connection, person_id: str) -> Person | None:
    row = db.execute("SELECT * FROM people WHERE id = ?", [person_id]).fetchone()
    return _person(row) if row else None


def find_by_email(db: Connection, email: str) -> tuple[Person, str] | None:
    """The person, and the hash of the password."""
    row = db.execute("SELECT * FROM people WHERE email = ?", [email]).fetchone()
    return (_person(row), row["password"]) if row else None


def all_people(db: Connection) -> tuple[Person, ...]:
    return tuple(_person(row) for row in db.execute("SELECT * FROM people ORDER BY email"))


def owners(db: Connection) -> int:
    (count,) = db.execute("SELECT count(*) FROM people WHERE role = 'owner'").fetchone()
    return int(count)


def set_role(db: Connection, person_id: str, role: str) -> None:
    db.execute("UPDATE people SET role = ? WHERE id = ?", [role, person_id])


def remove(db: Connection, person_id: str) -> None:
    """Sessions, keys, grants and places in teams go with it."""
    db.execute("DELETE FROM people WHERE id = ?", [person_id])


def portraits(db: Connection, q: str = "", *, cursor: str | None = None, limit: int = 50) -> Page[Portrait]:
    """By address; with a text, those that have it in theirs."""
    sql = f"{PORTRAIT} WHERE p.email LIKE ? ESCAPE '\\'"
    return page(db, sql, [like(q)], lambda row: _portrait(db, row), key="p.email", cursor=cursor, limit=limit)


def portrait(db: Connection, person_id: str) -> Portrait | None:
    row = db.execute(f"{PORTRAIT} WHERE p.id = ?", [person_id]).fetchone()
    return _portrait(db, row) if row else None


def set_password(db: Connection, person_id: str, password: str) -> None:
    db.execute("UPDATE people SET password = ? WHERE id = ?", [password, person_id])


def session_person(db: Connection, session: str, at: str) -> Person | None:
    row = db.execute(
        "SELECT p.* FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.id = ? AND s.expires_at > ?",
        [session, at],
    ).fetchone()
    return _person(row) if row else None


def end_sessions(db: Connection, person_id: str) -> None:
    db.execute("DELETE FROM half_sessions WHERE person_id = ?", [person_id])
    db.execute("DELETE FROM sessions WHERE person_id = ?", [person_id])


def end_every_session(db: Connection) -> None:
    db.execute("DELETE FROM half_sessions")
    db.execute("DELETE FROM sessions")


def add_setup_link(db: Connection, hashed: str, until: str) -> None:
    db.execute("DELETE FROM setup_links")
    db.execute("INSERT INTO setup_links VALUES (?, ?)", [hashed, until])


def setup_link(db: Connection, hashed: str) -> str | None:
    """Until when this link works."""
    row = db.execute("SELECT expires_at FROM setup_links WHERE hash = ?", [hashed]).fetchone()
    return row["expires_at"] if row else None


def forget_setup_links(db: Connection) -> None:
    db.execute("DELETE FROM setup_links")


def _person(row: Row) -> Person:
    return Person(row["id"], row["email"], row["role"], row["created_at"])


def _portrait(db: Connection, row: Row) -> Portrait:
    teams = db.execute(
        "SELECT t.name FROM team_members m JOIN teams t ON t.id = m.team_id WHERE m.person_id = ? ORDER BY t.name",
        [row["id"]],
    )
    return Portrait(
        _person(row),
        teams=tuple(one["name"] for one in teams),
        grants=grants.of_person(db, row["id"]),
        second_factor=factors.of_person(db, row["id"]).any,
        last_seen_at=row["seen"] or None,
    )
