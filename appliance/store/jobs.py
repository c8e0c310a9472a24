"""Jobs: claimed by conditional UPDATE, one at a time in each queue."""

from appliance.model.jobs import Job
from appliance.store.db import Connection, Row

MOST_AT_ONCE = 500
NEVER = "9999-12-31T00:00:00.000Z"  # when a job is due that waits for somebody
# Nobody waits for these: each has a thread of its own, and keeps no worker from its work.
BEHIND = ("backup", "compress", "notify", "releases.forget", "xray")


def add(db: Connection, kind: str, subject: str, *, queue: str, at: str) -> int:
    cursor = db.execute(
        "INSERT INTO jobs (kind, subject, queue, status, run_at) VALUES (?, ?, ?, 'queued', ?)",
        [kind, subject, queue, at],
    )
    return int(cursor.lastrowid or 0)


def claim(db: Connection, worker: str, at: str, until: str, behind: str | None = None) -> Job | None:
    """The oldest due job whose queue is free becomes this worker's. One that waits for its time holds nobody up."""
    kinds = f"j.kind NOT IN {BEHIND}" if behind is None else "j.kind = ?"
    row = db.execute(
        f"""UPDATE jobs SET status = 'running', worker = ?, lease_until = ?, attempts = attempts + 1
        WHERE status = 'queued' AND id = (
            SELECT j.id FROM jobs j WHERE {kinds} AND j.status = 'queued' AND j.run_at <= ?
            AND NOT EXISTS (SELECT 1 FROM jobs r WHERE r.queue = j.queue AND r.status = 'running')
            AND NOT EXISTS (
                SELECT 1 FROM jobs o WHERE o.queue = j.queue AND o.status = 'queued' AND o.id < j.id AND o.run_at <= ?)
            ORDER BY j.id LIMIT 1)
        RETURNING *""",  # noqa: S608 - names of ours
        [worker, until, *([behind] if behind else []), at, at],
    ).fetchone()
    return _job(row) if row else None


def claim_along(db: Connection, first: Job, worker: str, at: str, until: str) -> list[Job]:
    """The others of its kind in its queue that are due, oldest first, up to as many as one go should have."""
    rows = db.execute(
        """UPDATE jobs SET status = 'running', worker = ?, lease_until = ?, attempts = attempts + 1
        WHERE id IN (SELECT id FROM jobs WHERE status = 'queued' AND kind = ? AND queue = ? AND run_at <= ?
            ORDER BY id LIMIT ?)
        RETURNING *""",
        [worker, until, first.kind, first.queue, at, MOST_AT_ONCE],
    ).fetchall()
    return sorted((_job(row) for row in rows), key=lambda job: job.id)


def beat(db: Connection, job_id: int, worker: str, until: str) -> bool:
    """Still at it; false when the lease was lost."""
    cursor = db.execute(
        "UPDATE jobs SET lease_until = ? WHERE id = ? AND worker = ? AND status = 'running'", [until, job_id, worker]
    )
    return cursor.rowcount == 1


def done(db: Connection, job_id: int) -> None:
    db.execute("DELETE FROM jobs WHERE id = ?", [job_id])


def again(db: Connection, job_id: int, at: str, error: str) -> None:
    """Put back for a later try."""
    db.execute(
        "UPDATE jobs SET status = 'queued', worker = NULL, lease_until = NULL, run_at = ?, error = ? WHERE id = ?",
        [at, error, job_id],
    )


def due(db: Connection, kind: str, subject: str, at: str) -> None:
    """A queued job that waits for a later time waits for this one."""
    db.execute("UPDATE jobs SET run_at = ? WHERE kind = ? AND subject = ? AND status = 'queued'", [at, kind, subject])


def drop(db: Connection, kind: str, subject: str) -> None:
    """Forget queued jobs that have become pointless."""
    db.execute("DELETE FROM jobs WHERE kind = ? AND subject = ? AND status = 'queued'", [kind, subject])


def has(db: Connection, kind: str, subject: str) -> bool:
    return db.execute("SELECT 1 FROM jobs WHERE kind = ? AND subject = ?", [kind, subject]).fetchone() is not None


def any_running(db: Connection, kind: str) -> bool:
    sql = "SELECT 1 FROM jobs WHERE kind = ? AND status = 'running'"
    return db.execute(sql, [kind]).fetchone() is not None


def queued(db: Connection, kind: str, subject: str) -> bool:
    sql = "SELECT 1 FROM jobs WHERE kind = ? AND subject = ? AND status = 'queued'"
    return db.execute(sql, [kind, subject]).fetchone() is not None


def reclaim(db: Connection) -> int:
    """On start nothing of ours is running, whatever the rows say."""
    return db.execute(
        "UPDATE jobs SET status = 'queued', worker = NULL, lease_until = NULL WHERE status = 'running'"
    ).rowcount


def next_at(db: Connection) -> str | None:
    """When the next queued job is due."""
    (at,) = db.execute("SELECT min(run_at) FROM jobs WHERE status = 'queued'").fetchone()
    return str(at) if at else None


def counts(db: Connection) -> dict[str, int]:
    return {row["status"]: row["n"] for row in db.execute("SELECT status, count(*) AS n FROM jobs GROUP BY status")}


def _job(row: Row) -> Job:
    return Job(row["id"], row["kind"], row["subject"], row["queue"], row["attempts"])
