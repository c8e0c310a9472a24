"""Sessions, and those that are halfway: past the password, short of the second factor."""

from appliance.model.people import Person
from appliance.model.sessions import Session
from appliance.store.db import Connection, Row


def add(db: Connection, session: Session) -> None:
    db.execute(
        """INSERT INTO sessions (id, person_id, created_at, expires_at, ip, agent, seen_at, seen_from, confirmed_at, strong)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",  # noqa: E501
        [
            session.id,
            session.person_id,
            session.created_at,
            session.expires_at,
            session.ip,
            session.agent,
            session.seen_at,
            session.seen_from,
            session.confirmed_at,
            session.strong,
        ],
    )
    db.execute("DELETE FROM sessions WHERE expires_at < ?", [session.created_at])


def with_person(db: Connection, session_id: str, at: str) -> tuple[Session, Person] | None:
    """A session that is not over, and whose it is."""
    row = db.execute(
        """SELECT s.*, p.email AS p_email, p.role AS p_role, p.created_at AS p_created_at
        FROM sessions s JOIN people p ON p.id = s.person_id WHERE s.id = ? AND s.expires_at > ?""",
        [session_id, at],
    ).fetchone()
    if row is None:
        return None
    return _session(row), Person(row["person_id"], row["p_email"], row["p_role"], row["p_created_at"])


def of_person(db: Connection, person_id: str, at: str) -> tuple[Session, ...]:
    """The one that was seen last first."""
    rows = db.execute(
        "SELECT * FROM sessions WHERE person_id = ? AND expires_at > ? ORDER BY coalesce(seen_at, created_at) DESC, id",
        [person_id, at],
    )
    return tuple(_session(row) for row in rows)


def seen(db: Connection, session_id: str, at: str, ip: str | None) -> None:
    db.execute("UPDATE sessions SET seen_at = ?, seen_from = ? WHERE id = ?", [at, ip, session_id])


def confirm(db: Connection, session_id: str, at: str, *, strong: bool) -> None:
    db.execute("UPDATE sessions SET confirmed_at = ?, strong = max(strong, ?) WHERE id = ?", [at, strong, session_id])


def rename(db: Connection, session_id: str, new_id: str) -> None:
    db.execute("UPDATE sessions SET id = ? WHERE id = ?", [new_id, session_id])


def end(db: Connection, session_id: str) -> None:
    db.execute("DELETE FROM sessions WHERE id = ?", [session_id])


def end_of_person(db: Connection, person_id: str, *, but: str = "") -> int:
    """Those that are halfway too; says how many there were."""
    db.execute("DELETE FROM half_sessions WHERE person_id = ?", [person_id])
    return db.execute("DELETE FROM sessions WHERE person_id = ? AND id <> ?", [person_id, but]).rowcount


def add_half(db: Connection, hashed: str, person_id: str, *, at: str, until: str) -> None:
    db.execute("INSERT INTO half_sessions VALUES (?, ?, ?)", [hashed, person_id, until])
    db.execute("DELETE FROM half_sessions WHERE expires_at < ?", [at])


def half(db: Connection, hashed: str, at: str) -> str | None:
    """Whose it is."""
    sql = "SELECT person_id FROM half_sessions WHERE hash = ? AND expires_at > ?"
    row = db.execute(sql, [hashed, at]).fetchone()
    return row["person_id"] if row else None


def end_half(db: Connection, hashed: str) -> bool:
    """Whether it was there."""
    return db.execute("DELETE FROM half_sessions WHERE hash = ?", [hashed]).rowcount == 1


def _session(row: Row) -> Session:
    return Session(
        id=row["id"],
        person_id=row["person_id"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        ip=row["ip"],
        agent=row["agent"],
        seen_at=row["seen_at"] or row["created_at"],
        seen_from=row["seen_from"] or row["ip"],
        confirmed_at=row["confirmed_at"],
        strong=bool(row["strong"]),
    )
