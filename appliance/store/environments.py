"""Environments."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from appliance.model.approvals import ApprovalRule
from appliance.model.environments import Environment, Freeze
from appliance.model.rules import Guard
from appliance.store.db import Connection, Row
from appliance.store.sight import Sight, environments_in

SELECT = "SELECT e.*, p.name AS project FROM environments e JOIN projects p ON p.id = e.project_id"


def add(db: Connection, project_id: int, name: str, backend: str, at: str) -> int:
    cursor = db.execute(
        "INSERT INTO environments (project_id, name, backend, created_at) VALUES (?, ?, ?, ?)",
        [project_id, name, backend, at],
    )
    return int(cursor.lastrowid or 0)


def find(db: Connection, project: str, name: str) -> Environment | None:
    row = db.execute(f"{SELECT} WHERE p.name = ? AND e.name = ?", [project, name]).fetchone()
    return _environment(row) if row else None


def by_id(db: Connection, environment_id: int) -> Environment | None:
    row = db.execute(f"{SELECT} WHERE e.id = ?", [environment_id]).fetchone()
    return _environment(row) if row else None


def of_project(db: Connection, project_id: int) -> tuple[Environment, ...]:
    """Production first, then as they were made."""
    rows = db.execute(f"{SELECT} WHERE e.project_id = ? ORDER BY e.name <> 'production', e.id", [project_id])
    return tuple(_environment(row) for row in rows)


def of_projects(db: Connection, project_ids: tuple[int, ...]) -> dict[int, tuple[Environment, ...]]:
    """The environments of several projects in one look."""
    marks = ",".join("?" * len(project_ids))
    rows = db.execute(
        f"{SELECT} WHERE e.project_id IN ({marks}) ORDER BY e.name <> 'production', e.id",
        project_ids,
    )
    found: dict[int, list[Environment]] = {project_id: [] for project_id in project_ids}
    for row in rows:
        found[row["project_id"]].append(_environment(row))
    return {project_id: tuple(those) for project_id, those in found.items()}


def everyone(db: Connection, sight: Sight | None = None) -> tuple[Environment, ...]:
    seen = environments_in(sight, "e.project_id", "e.id")
    rows = db.execute(f"{SELECT} WHERE 1{seen} ORDER BY p.name, e.name <> 'production', e.id")
    return tuple(_environment(row) for row in rows)


def few(db: Connection, most: int, sight: Sight | None = None) -> tuple[Environment, ...]:
    """All of them, where there are no more than so many; else none."""
    seen = environments_in(sight, "e.project_id", "e.id")
    rows = db.execute(f"{SELECT} WHERE 1{seen} LIMIT ?", [most + 1]).fetchall()
    return tuple(_environment(row) for row in rows) if len(rows) <= most else ()


def names(db: Connection, most: int, sight: Sight | None = None) -> tuple[str, ...]:
    """Every name that an environment has, each found from the one before it; of few, by looking at those."""
    if sight is not None:
        seen = environments_in(sight, "project_id", "id")
        few = db.execute(f"SELECT DISTINCT name FROM environments WHERE 1{seen} ORDER BY name LIMIT ?", [most])  # noqa: S608
        return tuple(row["name"] for row in few)
    rows = db.execute(
        """WITH RECURSIVE found (name) AS (
            SELECT min(name) FROM environments
            UNION ALL SELECT (SELECT min(name) FROM environments WHERE name > found.name) FROM found
            WHERE found.name IS NOT NULL LIMIT ?
        ) SELECT name FROM found WHERE name IS NOT NULL""",
        [most],
    )
    return tuple(row["name"] for row in rows)


def in_projects(db: Connection, projects: Sequence[str]) -> tuple[Environment, ...]:
    """Of the projects of these names, as far as they are there."""
    marks = ",".join("?" * len(projects))
    rows = db.execute(
        f"{SELECT} WHERE p.name IN ({marks}) ORDER BY p.name, e.name <> 'production', e.id", list(projects)
    )
    return tuple(_environment(row) for row in rows)


def by_ids(db: Connection, ids: Sequence[int]) -> dict[int, Environment]:
    marks = ",".join("?" * len(ids))
    rows = db.execute(f"{SELECT} WHERE e.id IN ({marks})", list(ids))
    return {row["id"]: _environment(row) for row in rows}


def set_live(db: Connection, environment_id: int, deployment: str | None) -> None:
    db.execute("UPDATE environments SET live = ? WHERE id = ?", [deployment, environment_id])


def set_name(db: Connection, environment_id: int, name: str) -> None:
    db.execute("UPDATE environments SET name = ? WHERE id = ?", [name, environment_id])


def set_backend(db: Connection, environment_id: int, backend: str) -> None:
    db.execute("UPDATE environments SET backend = ? WHERE id = ?", [backend, environment_id])


def remove(db: Connection, environment_id: int) -> None:
    db.execute("DELETE FROM environments WHERE id = ?", [environment_id])


def set_site(db: Connection, environment_id: int, site: str) -> None:
    db.execute("UPDATE environments SET site = ? WHERE id = ?", [site, environment_id])


def set_guard(db: Connection, environment_id: int, guard: Guard) -> None:
    db.execute("UPDATE environments SET guard = ? WHERE id = ?", [guard.text, environment_id])


def set_frozen(db: Connection, environment_id: int, freeze: Freeze | None) -> None:
    text = json.dumps(asdict(freeze)) if freeze else None
    db.execute("UPDATE environments SET frozen = ? WHERE id = ?", [text, environment_id])


def set_approval(db: Connection, environment_id: int, rule: ApprovalRule | None) -> None:
    db.execute("UPDATE environments SET approval = ? WHERE id = ?", [rule.text if rule else None, environment_id])


def _environment(row: Row) -> Environment:
    return Environment(
        row["id"],
        row["project_id"],
        row["project"],
        row["name"],
        row["backend"],
        row["created_at"],
        row["live"],
        row["site"],
        Guard.of(row["guard"]),
        Freeze(**json.loads(row["frozen"])) if row["frozen"] else None,
        ApprovalRule.of(row["approval"]),
    )
