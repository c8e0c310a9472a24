"""Projects."""

from appliance.model.projects import Project
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, page
from appliance.store.sight import Sight, projects_in

AFTER_Z = "{"  # comes after whatever a name may hold
ENOUGH = 200  # projects found, from which on it is quicker to go through the names until a page is full


def add(db: Connection, name: str, at: str, by: str) -> Project:
    cursor = db.execute("INSERT INTO projects (name, created_at, created_by) VALUES (?, ?, ?)", [name, at, by])
    return Project(int(cursor.lastrowid or 0), name, at, by)


def find(db: Connection, name: str) -> Project | None:
    row = db.execute("SELECT * FROM projects WHERE name = ?", [name]).fetchone()
    return _project(row) if row else None


def search(
    db: Connection, q: str = "", *, cursor: str | None = None, limit: int = 50, sight: Sight | None = None
) -> Page[Project]:
    """Those with this text in the name: few are found by how names go on, of many the first are soon come upon."""
    text = q.lower()
    if text and _are_few(db, text):
        sql = """SELECT DISTINCT p.* FROM project_tails t CROSS JOIN projects p ON p.id = t.project_id
            WHERE t.tail >= ? AND t.tail < ?"""
        sql += projects_in(sight, "p.id")
        return page(db, sql, [text, text + AFTER_Z], _project, key="p.name", cursor=cursor, limit=limit)
    sql = "SELECT p.* FROM projects n CROSS JOIN projects p ON p.id = n.id WHERE instr(n.name, ?)"
    sql += projects_in(sight, "n.id")
    return page(db, sql, [text], _project, key="n.name", cursor=cursor, limit=limit)


def count(db: Connection, sight: Sight | None = None) -> int:
    sql = f"SELECT count(*) FROM projects WHERE 1{projects_in(sight, 'id')}"  # noqa: S608 - numbers only
    (number,) = db.execute(sql).fetchone()
    return int(number)


def rename(db: Connection, project_id: int, name: str) -> None:
    db.execute("UPDATE projects SET name = ? WHERE id = ?", [name, project_id])


def remove(db: Connection, project_id: int) -> None:
    db.execute("DELETE FROM projects WHERE id = ?", [project_id])


def next_number(db: Connection, project_id: int) -> int:
    row = db.execute(
        "UPDATE projects SET last_number = last_number + 1 WHERE id = ? RETURNING last_number", [project_id]
    ).fetchone()
    return int(row["last_number"])


def _are_few(db: Connection, text: str) -> bool:
    (found,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM project_tails WHERE tail >= ? AND tail < ? LIMIT ?)",
        [text, text + AFTER_Z, ENOUGH],
    ).fetchone()
    return bool(found < ENOUGH)


def _project(row: Row) -> Project:
    return Project(row["id"], row["name"], row["created_at"], row["created_by"])
