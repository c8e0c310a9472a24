"""Deployments."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from appliance.model.approvals import Approval
from appliance.model.bundles import Bundle
from appliance.model.deployments import FINAL, Deployment, Failure, Step
from appliance.model.places import Place
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, page
from appliance.store.sight import Sight, environments_in, sees

SELECT = """SELECT d.*, p.name AS project, e.name AS environment, e.live = d.id AS is_live, o.number AS origin_number,
    v.number AS overtaken_number, a.status AS approval, a.asked_by, a.expires_at AS approval_ends, a.by AS decided_by,
    a.at AS decided_at, a.reason
    FROM deployments d JOIN projects p ON p.id = d.project_id JOIN environments e ON e.id = d.environment_id
    LEFT JOIN deployments o ON o.id = d.origin LEFT JOIN deployments v ON v.id = d.overtaken_by
    LEFT JOIN approvals a ON a.deployment = d.id"""


def add(db: Connection, deployment: Deployment, project_id: int) -> None:
    db.execute(
        """INSERT INTO deployments (id, number, project_id, environment_id, status, source, bundle, size, files, steps,
            created_by, created_at, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            deployment.id,
            deployment.number,
            project_id,
            deployment.environment_id,
            deployment.status,
            deployment.source,
            deployment.bundle,
            deployment.size,
            deployment.files,
            _steps_text(deployment.steps),
            deployment.created_by,
            deployment.created_at,
            deployment.origin,
        ],
    )


def find(db: Connection, deployment_id: str) -> Deployment | None:
    row = db.execute(f"{SELECT} WHERE d.id = ?", [deployment_id]).fetchone()
    return _deployment(row) if row else None


def several(db: Connection, ids: Sequence[str]) -> dict[str, Deployment]:
    """Deployments by id, in one look."""
    marks = ",".join("?" * len(ids))
    rows = db.execute(f"{SELECT} WHERE d.id IN ({marks})", list(ids))
    return {row["id"]: _deployment(row) for row in rows}


def newest(
    db: Connection,
    *,
    project: str | None = None,
    environment: str | None = None,
    status: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
    sight: Sight | None = None,
) -> Page[Deployment]:
    sql, values = f"{SELECT} WHERE 1{environments_in(sight, 'd.project_id', 'd.environment_id')}", list[object]()
    if project is not None:
        sql += " AND d.project_id = (SELECT id FROM projects WHERE name = ?)"
        values.append(project)
    if environment is not None:
        sql += _in_environments(db, environment)
        values.append(environment)
    if status is not None:
        sql += " AND d.status = ?"
        values.append(status)
    return page(db, sql, values, _deployment, key="d.id", cursor=cursor, limit=limit, newest_first=True)


def _in_environments(db: Connection, name: str) -> str:
    """Few of a name are found by it; of a name that most have, it is quicker to look at the newest of all."""
    (few,) = db.execute(
        "SELECT count(*) <= 50 FROM (SELECT 1 FROM environments WHERE name = ? LIMIT 51)", [name]
    ).fetchone()
    return " AND d.environment_id IN (SELECT id FROM environments WHERE name = ?)" if few else " AND +e.name = ?"


def latest_of(db: Connection, environment_ids: Sequence[int]) -> dict[int, Deployment]:
    """The newest deployment of each environment."""
    marks = ",".join("?" * len(environment_ids))
    newest_ids = f"SELECT max(id) FROM deployments WHERE environment_id IN ({marks}) GROUP BY environment_id"  # noqa: S608
    rows = db.execute(f"{SELECT} WHERE d.id IN ({newest_ids})", list(environment_ids))
    return {row["environment_id"]: _deployment(row) for row in rows}


def count(db: Connection, project_id: int | None = None) -> int:
    if project_id is None:
        (number,) = db.execute("SELECT total(n) FROM deployment_counts").fetchone()
    else:
        (number,) = db.execute("SELECT count(*) FROM deployments WHERE project_id = ?", [project_id]).fetchone()
    return int(number)


def waiting(db: Connection, environment_id: int) -> tuple[Deployment, ...]:
    """Queued and running ones, oldest first."""
    rows = db.execute(
        f"{SELECT} WHERE d.environment_id = ? AND d.status IN ('queued', 'running') ORDER BY d.id", [environment_id]
    )
    return tuple(_deployment(row) for row in rows)


def running(db: Connection) -> tuple[Deployment, ...]:
    rows = db.execute(f"{SELECT} WHERE d.status = 'running' ORDER BY d.id")
    return tuple(_deployment(row) for row in rows)


def any_running(db: Connection) -> bool:
    return db.execute("SELECT 1 FROM deployments WHERE status = 'running' LIMIT 1").fetchone() is not None


def earlier(db: Connection, environment_id: int, before: str) -> tuple[Deployment, ...]:
    """What went live here before that one, newest first."""
    rows = db.execute(
        f"{SELECT} WHERE d.environment_id = ? AND d.status = 'succeeded' AND d.id < ? ORDER BY d.id DESC LIMIT 50",
        [environment_id, before],
    )
    return tuple(_deployment(row) for row in rows)


def releases_needed(db: Connection, kept: int) -> set[str]:
    """Releases that are live, about to be, or among the last few others that were."""
    rows = db.execute(
        """SELECT d.release FROM environments e JOIN deployments d ON d.id = e.live
        UNION SELECT coalesce(d.release, b.release) FROM deployments d LEFT JOIN bundles b ON b.sha256 = d.bundle
        WHERE d.status IN ('queued', 'running')
        UNION SELECT release FROM (
            SELECT w.release, row_number() OVER (PARTITION BY w.environment_id ORDER BY w.latest DESC) AS place FROM (
                SELECT environment_id, release, max(id) AS latest FROM deployments INDEXED BY deployments_went_live
                WHERE status = 'succeeded' GROUP BY environment_id, release
            ) w JOIN environments e ON e.id = w.environment_id LEFT JOIN deployments l ON l.id = e.live
            WHERE w.release IS NOT NULL AND w.release IS NOT l.release
        ) WHERE place <= ?""",
        [kept],
    )
    return {row["release"] for row in rows if row["release"]}


def releases_of(db: Connection, environment_id: int) -> tuple[str, ...]:
    """What went live there and isn't now, newest first."""
    rows = db.execute(
        """SELECT w.release FROM (
            SELECT release, max(id) AS latest FROM deployments
            WHERE environment_id = ? AND status = 'succeeded' GROUP BY release
        ) w JOIN environments e ON e.id = ? LEFT JOIN deployments l ON l.id = e.live
        WHERE w.release IS NOT NULL AND w.release IS NOT l.release ORDER BY w.latest DESC""",
        [environment_id, environment_id],
    )
    return tuple(row["release"] for row in rows)


def places_of_release(db: Connection, release: str) -> tuple[int, ...]:
    """The environments that it was ever deployed to."""
    rows = db.execute("SELECT DISTINCT environment_id FROM deployments WHERE release = ?", [release])
    return tuple(row["environment_id"] for row in rows)


def places_of_bundle(db: Connection, sha256: str) -> tuple[Place, ...]:
    """Where it was ever deployed."""
    rows = db.execute("SELECT DISTINCT project_id, environment_id FROM deployments WHERE bundle = ?", [sha256])
    return tuple(Place(row["project_id"], row["environment_id"]) for row in rows)


def releases_seen(db: Connection, sight: Sight, most: int) -> tuple[str, ...]:
    """Releases of deployments that may be seen, what was deployed last first."""
    seen = environments_in(sight, "d.project_id", "d.environment_id")
    rows = db.execute(
        f"""SELECT coalesce(d.release, b.release) AS name FROM deployments d LEFT JOIN bundles b ON b.sha256 = d.bundle
        WHERE coalesce(d.release, b.release) IS NOT NULL{seen} GROUP BY name ORDER BY max(d.id) DESC LIMIT ?""",  # noqa: S608
        [most],
    )
    return tuple(row["name"] for row in rows)


def is_release_seen(db: Connection, release: str, sight: Sight) -> bool:
    seen = environments_in(sight, "d.project_id", "d.environment_id")
    row = db.execute(
        f"""SELECT 1 FROM deployments d LEFT JOIN bundles b ON b.sha256 = d.bundle
        WHERE (d.release = ?1 OR b.release = ?1){seen} LIMIT 1""",  # noqa: S608
        [release],
    ).fetchone()
    return row is not None


def bundle_as_seen(db: Connection, bundle: Bundle, sight: Sight) -> Bundle:
    """As if it had come with the first of its deployments that may be seen."""
    rows = db.execute(
        "SELECT project_id, environment_id, created_at, created_by FROM deployments WHERE bundle = ? ORDER BY id",
        [bundle.sha256],
    ).fetchall()
    seen = [row for row in rows if sees(sight, Place(row["project_id"], row["environment_id"]))]
    if not seen or seen[0] is rows[0]:
        return bundle
    return replace(bundle, filename="", created_at=seen[0]["created_at"], created_by=seen[0]["created_by"])


def is_release_due(db: Connection, release: str) -> bool:
    """Whether it is live anywhere, or about to be."""
    row = db.execute(
        """SELECT 1 FROM deployments d CROSS JOIN environments e ON e.id = d.environment_id AND e.live = d.id
        WHERE d.release = ?
        UNION ALL SELECT 1 FROM deployments d LEFT JOIN bundles b ON b.sha256 = d.bundle
        WHERE d.status IN ('queued', 'running') AND coalesce(d.release, b.release) = ? LIMIT 1""",
        [release, release],
    ).fetchone()
    return row is not None


def of_releases(db: Connection, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What each release was deployed as, in words."""
    marks = ",".join("?" * len(names))
    rows = db.execute(
        f"""SELECT d.release, p.name || ' ' || e.name || ' #' || d.number AS words FROM deployments d
        JOIN projects p ON p.id = d.project_id JOIN environments e ON e.id = d.environment_id
        WHERE d.status = 'succeeded' AND d.release IN ({marks}) ORDER BY d.id""",  # noqa: S608 - marks only
        list(names),
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        found[row["release"]] = (*found.get(row["release"], ()), row["words"])
    return found


def count_in(db: Connection, environment_ids: Sequence[int]) -> int:
    marks = ",".join("?" * len(environment_ids))
    sql = f"SELECT count(*) FROM deployments WHERE environment_id IN ({marks})"  # noqa: S608 - marks only
    (number,) = db.execute(sql, list(environment_ids)).fetchone()
    return int(number)


def bundles_in(db: Connection, environment_ids: Sequence[int]) -> int:
    """How many different bundles were deployed there."""
    marks = ",".join("?" * len(environment_ids))
    sql = f"SELECT count(DISTINCT bundle) FROM deployments WHERE environment_id IN ({marks})"  # noqa: S608 - marks only
    (number,) = db.execute(sql, list(environment_ids)).fetchone()
    return int(number)


def start(db: Connection, deployment_id: str, at: str) -> bool:
    """queued -> running; false when it is no longer queued."""
    cursor = db.execute(
        "UPDATE deployments SET status = 'running', started_at = ? WHERE id = ? AND status = 'queued'",
        [at, deployment_id],
    )
    return cursor.rowcount == 1


def set_steps(db: Connection, deployment_id: str, steps: Sequence[Step]) -> None:
    db.execute("UPDATE deployments SET steps = ? WHERE id = ?", [_steps_text(steps), deployment_id])


def set_files(db: Connection, deployment_id: str, files: int) -> None:
    db.execute("UPDATE deployments SET files = ? WHERE id = ?", [files, deployment_id])


def set_release(db: Connection, deployment_id: str, release: str, rules: str) -> None:
    """What it makes live, once that is known."""
    db.execute("UPDATE deployments SET release = ?, rules = ? WHERE id = ?", [release, rules, deployment_id])


def set_replaced(db: Connection, deployment_id: str, replaced: str | None) -> None:
    db.execute("UPDATE deployments SET replaced = ? WHERE id = ?", [replaced, deployment_id])


def finish(db: Connection, deployment_id: str, status: str, at: str, error: Failure | None = None) -> bool:
    """To a final status; false when it had one already."""
    cursor = db.execute(
        """UPDATE deployments SET status = ?, finished_at = ?, error = ?
        WHERE id = ? AND status IN ('queued', 'running')""",
        [status, at, json.dumps(asdict(error)) if error else None, deployment_id],
    )
    return cursor.rowcount == 1


def overtake(db: Connection, environment_id: int, by: str, at: str) -> tuple[str, ...]:
    """Queued ones that a newer one makes pointless are skipped."""
    rows = db.execute(
        """UPDATE deployments SET status = 'skipped', finished_at = ?, overtaken_by = ?
        WHERE environment_id = ? AND status = 'queued' AND id <> ? RETURNING id""",
        [at, by, environment_id, by],
    ).fetchall()
    return tuple(row["id"] for row in rows)


def ask_cancel(db: Connection, deployment_id: str, by: str) -> None:
    db.execute("UPDATE deployments SET cancel_asked_by = ? WHERE id = ?", [by, deployment_id])


def cancel_asked(db: Connection, deployment_id: str) -> bool:
    row = db.execute("SELECT cancel_asked_by FROM deployments WHERE id = ?", [deployment_id]).fetchone()
    return bool(row and row["cancel_asked_by"])


def remembered(db: Connection, actor: str, key: str, since: str) -> tuple[str, str | None] | None:
    """What an Idempotency-Key was used for: the request, and the deployment that came of it."""
    row = db.execute(
        "SELECT request, deployment FROM idempotency WHERE actor = ? AND key = ? AND created_at >= ?",
        [actor, key, since],
    ).fetchone()
    return (row["request"], row["deployment"]) if row else None


def remember(db: Connection, actor: str, key: str, *, request: str, deployment: str, at: str) -> None:
    db.execute("INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)", [actor, key, request, deployment, at])


def forget_remembered(db: Connection, before: str) -> None:
    db.execute("DELETE FROM idempotency WHERE created_at < ?", [before])


def counts(db: Connection) -> dict[str, int]:
    """Kept up to date by the table's triggers."""
    rows = db.execute("SELECT status, n FROM deployment_counts WHERE n > 0 ORDER BY status")
    return {row["status"]: row["n"] for row in rows}


def _steps_text(steps: Sequence[Step]) -> str:
    return json.dumps([[s.name, s.status, s.started_at, s.finished_at, s.detail] for s in steps])


def _deployment(row: Row) -> Deployment:
    error = json.loads(row["error"]) if row["error"] else None
    return Deployment(
        id=row["id"],
        number=row["number"],
        project=row["project"],
        environment=row["environment"],
        environment_id=row["environment_id"],
        status=row["status"],
        live=bool(row["is_live"]),
        source=row["source"],
        bundle=row["bundle"],
        size=row["size"],
        files=row["files"],
        steps=tuple(Step(*step) for step in json.loads(row["steps"])),
        error=Failure(error["code"], error["detail"], tuple(error["todo"]), error["said"]) if error else None,
        created_by=row["created_by"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        origin=row["origin"],
        origin_number=row["origin_number"],
        overtaken_by=row["overtaken_by"],
        overtaken_number=row["overtaken_number"],
        cancel_asked_by=row["cancel_asked_by"],
        release=row["release"],
        rules=row["rules"],
        replaced=row["replaced"],
        variables=row["variables"],
        approval=_approval(row) if row["approval"] else None,
        project_id=row["project_id"],
    )


def _approval(row: Row) -> Approval:
    """A request ends with its deployment, however that ends."""
    status = "withdrawn" if row["approval"] == "waiting" and row["status"] in FINAL else row["approval"]
    return Approval(
        status, row["asked_by"], row["approval_ends"], row["decided_by"], row["decided_at"], row["reason"] or ""
    )
