"""People, their sessions, and the set-up link."""

from appliance.model.people import Person
from appliance.store.db import Connection, Row


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


def set_password(db: Connection, person_id: str, password: str) -> None:
    db.execute("UPDATE people SET password = ? WHERE id = ?", [password, person_id])


def add_session(
    db: Connection, session: str, person_id: str, *, at: str, until: str, ip: str | None, agent: str
) -> None:
    db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", [session, person_id, at, until, ip, agent])
    db.execute("DELETE FROM sessions WHERE expires_at < ?", [at])


def session_person(db: Connection, session: str, at: str) -> Person | None:
    row = db.execute(
        "SELECT p.* FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.id = ? AND s.expires_at > ?",
        [session, at],
    ).fetchone()
    return _person(row) if row else None


def end_session(db: Connection, session: str) -> None:
    db.execute("DELETE FROM sessions WHERE id = ?", [session])


def end_sessions(db: Connection, person_id: str) -> None:
    db.execute("DELETE FROM sessions WHERE person_id = ?", [person_id])


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
