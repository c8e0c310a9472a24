"""Activity: rows are added, never changed; the table's triggers see to it."""

import json

from appliance.model.activity import Activity
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, like, page
from appliance.store.sight import Sight, names_in


def add(db: Connection, entry: Activity) -> None:
    db.execute(
        """INSERT INTO activity (at, actor, actor_kind, verb, subject, project, environment, deployment, door, ip, data)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            entry.at,
            entry.actor,
            entry.actor_kind,
            entry.verb,
            entry.subject,
            entry.project,
            entry.environment,
            entry.deployment,
            entry.door,
            entry.ip,
            json.dumps(entry.data),
        ],
    )


def newest(
    db: Connection,
    *,
    q: str = "",
    actor: str | None = None,
    project: str | None = None,
    what: str | None = None,
    cursor: str | int | None = None,
    limit: int = 50,
    sight: Sight | None = None,
) -> Page[Activity]:
    """`what` is the first word of a verb, such as `deployment`."""
    sql, values = "SELECT * FROM activity WHERE 1", list[object]()
    sql += names_in(sight, "project", "environment")
    if q:
        sql += " AND (subject LIKE ? ESCAPE '\\' OR verb LIKE ? ESCAPE '\\' OR data LIKE ? ESCAPE '\\')"
        values += [like(q)] * 3
    for column, value in (("actor", actor), ("project", project)):
        if value:
            sql += f" AND {column} = ?"
            values.append(value)
    if what:
        sql += " AND verb LIKE ? ESCAPE '\\'"
        values.append(like(what)[1:-1] + ".%")
    return page(db, sql, values, _activity, key="id", cursor=cursor, limit=limit, newest_first=True)


def last_of_projects(db: Connection, names: tuple[str, ...]) -> dict[str, Activity]:
    """The newest activity of each project."""
    marks = ",".join("?" * len(names))
    newest_ids = f"SELECT max(id) FROM activity WHERE project IN ({marks}) GROUP BY project"  # noqa: S608 - marks only
    rows = db.execute(f"SELECT * FROM activity WHERE id IN ({newest_ids})", names)  # noqa: S608
    return {row["project"]: _activity(row) for row in rows}


def count(db: Connection) -> int:
    """None is ever removed, so the last one's number is how many there are."""
    (number,) = db.execute("SELECT max(id) FROM activity").fetchone()
    return int(number or 0)


def actors(db: Connection) -> tuple[str, ...]:
    """Each found from the one before it: there are few of them, whatever they did."""
    rows = db.execute(
        """WITH RECURSIVE found (actor) AS (
            SELECT min(actor) FROM activity
            UNION ALL SELECT (SELECT min(actor) FROM activity WHERE actor > found.actor) FROM found
            WHERE found.actor IS NOT NULL
        ) SELECT actor FROM found WHERE actor IS NOT NULL"""
    )
    return tuple(row["actor"] for row in rows)


def _activity(row: Row) -> Activity:
    return Activity(
        row["id"],
        row["at"],
        row["actor"],
        row["actor_kind"],
        row["verb"],
        row["subject"],
        row["project"],
        row["environment"],
        row["deployment"],
        row["door"],
        row["ip"],
        json.loads(row["data"]),
    )
