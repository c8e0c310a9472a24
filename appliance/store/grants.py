"""What people and teams may do in single projects and environments."""

from appliance.model.grants import Grant
from appliance.model.places import Place
from appliance.store.db import Connection, Row

SELECT = """SELECT g.*, p.name AS project, e.name AS environment, m.email AS person, t.name AS team FROM grants g
    JOIN projects p ON p.id = g.project_id LEFT JOIN environments e ON e.id = g.environment_id
    LEFT JOIN people m ON m.id = g.person_id LEFT JOIN teams t ON t.id = g.team_id"""


def roles_of(db: Connection, person_id: str) -> tuple[tuple[str, Place], ...]:
    """A person's own, and those of the teams that they are in."""
    rows = db.execute(
        """SELECT role, project_id, environment_id FROM grants WHERE person_id = ?
        UNION ALL SELECT g.role, g.project_id, g.environment_id
        FROM team_members m JOIN grants g ON g.team_id = m.team_id WHERE m.person_id = ?""",
        [person_id, person_id],
    )
    return tuple((row["role"], Place(row["project_id"], row["environment_id"])) for row in rows)


def put(db: Connection, grant: Grant) -> None:
    """One for each place and person or team; another role takes the place of the one before."""
    db.execute(
        """DELETE FROM grants WHERE project_id = ? AND environment_id IS ? AND person_id IS ? AND team_id IS ?""",
        [grant.project_id, grant.environment_id, grant.person_id, grant.team_id],
    )
    db.execute(
        """INSERT INTO grants (id, person_id, team_id, project_id, environment_id, role, created_at, created_by)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            grant.id,
            grant.person_id,
            grant.team_id,
            grant.project_id,
            grant.environment_id,
            grant.role,
            grant.created_at,
            grant.created_by,
        ],
    )


def find(db: Connection, grant_id: str) -> Grant | None:
    row = db.execute(f"{SELECT} WHERE g.id = ?", [grant_id]).fetchone()
    return _grant(row) if row else None


def find_at(db: Connection, grant: Grant) -> Grant | None:
    """The one that this would take the place of."""
    row = db.execute(
        f"{SELECT} WHERE g.project_id = ? AND g.environment_id IS ? AND g.person_id IS ? AND g.team_id IS ?",
        [grant.project_id, grant.environment_id, grant.person_id, grant.team_id],
    ).fetchone()
    return _grant(row) if row else None


def held_by(db: Connection, person_id: str) -> tuple[Grant, ...]:
    """A person's own, and those of the teams that they are in."""
    rows = db.execute(
        f"""{SELECT} WHERE g.person_id = ? OR g.team_id IN (SELECT team_id FROM team_members WHERE person_id = ?)
        ORDER BY p.name, e.name IS NOT NULL, e.name, t.name""",  # noqa: S608
        [person_id, person_id],
    )
    return tuple(_grant(row) for row in rows)


def in_project(db: Connection, project_id: int) -> tuple[Grant, ...]:
    rows = db.execute(
        f"{SELECT} WHERE g.project_id = ? ORDER BY e.name IS NOT NULL, e.name, t.name IS NOT NULL, m.email, t.name",
        [project_id],
    )
    return tuple(_grant(row) for row in rows)


def of_person(db: Connection, person_id: str) -> tuple[Grant, ...]:
    rows = db.execute(f"{SELECT} WHERE g.person_id = ? ORDER BY p.name, e.name", [person_id])
    return tuple(_grant(row) for row in rows)


def of_team(db: Connection, team_id: str) -> tuple[Grant, ...]:
    rows = db.execute(f"{SELECT} WHERE g.team_id = ? ORDER BY p.name, e.name", [team_id])
    return tuple(_grant(row) for row in rows)


def remove(db: Connection, grant_id: str) -> None:
    db.execute("DELETE FROM grants WHERE id = ?", [grant_id])


def _grant(row: Row) -> Grant:
    return Grant(
        id=row["id"],
        person=row["person"],
        team=row["team"],
        person_id=row["person_id"],
        team_id=row["team_id"],
        project=row["project"],
        environment=row["environment"],
        project_id=row["project_id"],
        environment_id=row["environment_id"],
        role=row["role"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )
