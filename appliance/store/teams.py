"""Teams, and who is in them."""

from appliance.model.people import Person
from appliance.model.teams import Team
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, page


def add(db: Connection, team: Team) -> None:
    db.execute("INSERT INTO teams VALUES (?, ?, ?, ?)", [team.id, team.name, team.created_at, team.created_by])


def find(db: Connection, name: str) -> Team | None:
    row = db.execute("SELECT * FROM teams WHERE name = ?", [name]).fetchone()
    return _team(row) if row else None


def by_name(db: Connection, *, cursor: str | None = None, limit: int = 50) -> Page[Team]:
    return page(db, "SELECT * FROM teams WHERE 1", [], _team, key="name", cursor=cursor, limit=limit)


def names(db: Connection) -> tuple[str, ...]:
    return tuple(row["name"] for row in db.execute("SELECT name FROM teams ORDER BY name"))


def rename(db: Connection, team_id: str, name: str) -> None:
    db.execute("UPDATE teams SET name = ? WHERE id = ?", [name, team_id])


def remove(db: Connection, team_id: str) -> None:
    db.execute("DELETE FROM teams WHERE id = ?", [team_id])


def members(db: Connection, team_id: str) -> tuple[Person, ...]:
    rows = db.execute(
        """SELECT p.* FROM team_members m JOIN people p ON p.id = m.person_id WHERE m.team_id = ? ORDER BY p.email""",
        [team_id],
    )
    return tuple(Person(row["id"], row["email"], row["role"], row["created_at"]) for row in rows)


def add_member(db: Connection, team_id: str, person_id: str) -> bool:
    """Whether that was news."""
    return db.execute("INSERT OR IGNORE INTO team_members VALUES (?, ?)", [team_id, person_id]).rowcount > 0


def remove_member(db: Connection, team_id: str, person_id: str) -> bool:
    given = [team_id, person_id]
    return db.execute("DELETE FROM team_members WHERE team_id = ? AND person_id = ?", given).rowcount > 0


def _team(row: Row) -> Team:
    return Team(row["id"], row["name"], row["created_at"], row["created_by"])
