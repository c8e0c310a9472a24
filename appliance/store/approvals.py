"""Requests for a second person's approval: one for a deployment, decided once."""

from appliance.model.approvals import Approval
from appliance.store.db import Connection


def add(db: Connection, deployment: str, made: Approval) -> None:
    db.execute(
        "INSERT INTO approvals (deployment, status, asked_by, expires_at) VALUES (?, ?, ?, ?)",
        [deployment, made.status, made.asked_by, made.expires_at],
    )


def decide(db: Connection, deployment: str, status: str, *, by: str, at: str, reason: str = "") -> bool:
    """False where that was done already."""
    cursor = db.execute(
        "UPDATE approvals SET status = ?, by = ?, at = ?, reason = ? WHERE deployment = ? AND status = 'waiting'",
        [status, by, at, reason, deployment],
    )
    return cursor.rowcount == 1


def overdue(db: Connection, at: str) -> tuple[str, ...]:
    """Deployments that waited in vain until now."""
    rows = db.execute(
        """SELECT a.deployment FROM deployments d JOIN approvals a ON a.deployment = d.id
        WHERE d.status = 'queued' AND a.status = 'waiting' AND a.expires_at <= ?""",
        [at],
    )
    return tuple(row["deployment"] for row in rows)
