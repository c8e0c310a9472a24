"""X-rays: one for each deployment that was looked at."""

from collections.abc import Sequence

from appliance.model.xrays import Report, Summary
from appliance.store.db import Connection


def keep(db: Connection, deployment: str, report: Report) -> None:
    in_short = Summary.of(report)
    db.execute(
        """INSERT OR REPLACE INTO xrays (deployment, state, warnings, notes, added, removed, changed, body)
        SELECT id, ?, ?, ?, ?, ?, ?, ? FROM deployments WHERE id = ?""",
        [
            in_short.state,
            in_short.warnings,
            in_short.notes,
            in_short.added,
            in_short.removed,
            in_short.changed,
            report.text,
            deployment,
        ],
    )


def find(db: Connection, deployment: str) -> Report | None:
    row = db.execute("SELECT body FROM xrays WHERE deployment = ?", [deployment]).fetchone()
    return Report.of(row["body"]) if row else None


def in_short(db: Connection, deployments: Sequence[str]) -> dict[str, Summary]:
    """Several in numbers, in one look."""
    marks = ",".join("?" * len(deployments))
    columns = "deployment, state, warnings, notes, added, removed, changed"
    rows = db.execute(f"SELECT {columns} FROM xrays WHERE deployment IN ({marks})", list(deployments))  # noqa: S608
    return {row["deployment"]: Summary(*tuple(row)[1:]) for row in rows}


def remember(db: Connection, release: str, version: str, body: bytes) -> None:
    """What the contents of a release say, for as long as it is kept."""
    db.execute(
        "INSERT OR REPLACE INTO xray_facts (release, version, body) SELECT name, ?, ? FROM releases WHERE name = ?",
        [version, body, release],
    )


def remembered(db: Connection, release: str, version: str) -> bytes | None:
    """Nothing where it was read in another way than now."""
    sql = "SELECT body FROM xray_facts WHERE release = ? AND version = ?"
    row = db.execute(sql, [release, version]).fetchone()
    return row["body"] if row else None
