"""Variables, and the sets of them that deployments were made with."""

from appliance.model.places import Place
from appliance.model.variables import Variable
from appliance.store.db import Connection, Row


def at(db: Connection, place: Place) -> tuple[Variable, ...]:
    """A project's shared ones, or an environment's own, by name."""
    rows = db.execute(
        "SELECT * FROM variables WHERE project_id = ? AND coalesce(environment_id, 0) = ? ORDER BY name",
        [place.project_id, place.environment_id or 0],
    )
    return tuple(_variable(row) for row in rows)


def put(db: Connection, variable: Variable) -> None:
    """One for each name and place."""
    db.execute(
        """INSERT INTO variables VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
        secret = excluded.secret, value = excluded.value, changed_at = excluded.changed_at,
        changed_by = excluded.changed_by""",
        [
            variable.id,
            variable.project_id,
            variable.environment_id,
            variable.name,
            variable.secret,
            variable.sealed,
            variable.changed_at,
            variable.changed_by,
        ],
    )


def remove(db: Connection, variable_id: str) -> None:
    db.execute("DELETE FROM variables WHERE id = ?", [variable_id])


def set_of(db: Connection, deployment: str) -> tuple[str, str] | None:
    """The set that a deployment was made with: its id, and its sealed text, which is empty once nobody needs it."""
    row = db.execute(
        "SELECT s.id, s.value FROM deployments d JOIN variable_sets s ON s.id = d.variables WHERE d.id = ?",
        [deployment],
    ).fetchone()
    return (row["id"], row["value"]) if row else None


def last_set(db: Connection, environment_id: int) -> tuple[str, str] | None:
    row = db.execute(
        "SELECT id, value FROM variable_sets WHERE environment_id = ? ORDER BY id DESC LIMIT 1", [environment_id]
    ).fetchone()
    return (row["id"], row["value"]) if row else None


def add_set(db: Connection, set_id: str, environment_id: int, sealed: str) -> None:
    db.execute("INSERT INTO variable_sets VALUES (?, ?, ?)", [set_id, environment_id, sealed])


def use_set(db: Connection, deployment: str, set_id: str) -> None:
    db.execute("UPDATE deployments SET variables = ? WHERE id = ?", [set_id, deployment])


def forget_unneeded(db: Connection, environment_id: int) -> None:
    """What values were where nothing that is live, or about to be, was made with them."""
    db.execute(
        """UPDATE variable_sets SET value = '' WHERE environment_id = ?1 AND value <> '' AND id NOT IN (
            SELECT d.variables FROM deployments d WHERE d.environment_id = ?1 AND d.variables IS NOT NULL
            AND (d.status IN ('queued', 'running') OR d.id = (SELECT live FROM environments WHERE id = ?1))
        )""",
        [environment_id],
    )


def _variable(row: Row) -> Variable:
    return Variable(
        id=row["id"],
        project_id=row["project_id"],
        environment_id=row["environment_id"],
        name=row["name"],
        secret=bool(row["secret"]),
        sealed=row["value"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
    )
