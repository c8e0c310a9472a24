"""What is on its way to a channel, what arrived, what did not, and each try of it."""

from appliance.model.channels import Attempt, Delivery
from appliance.model.notices import Notice
from appliance.store import paging
from appliance.store.db import Connection, Row
from appliance.store.paging import Page

_ALL = "SELECT d.*, c.name AS channel FROM deliveries d JOIN channels c ON c.id = d.channel_id WHERE 1"


def add(db: Connection, delivery_id: str, channel_id: str, notice: Notice, at: str) -> None:
    db.execute(
        """INSERT INTO deliveries (id, channel_id, event, notice, status, created_at, next_at)
        VALUES (?, ?, ?, ?, 'queued', ?, ?)""",
        [delivery_id, channel_id, notice.event, notice.text, at, at],
    )


def find(db: Connection, delivery_id: str) -> Delivery | None:
    row = db.execute(f"{_ALL} AND d.id = ?", [delivery_id]).fetchone()
    return _delivery(row) if row else None


def newest(
    db: Connection, *, channel_id: str = "", status: str | None = None, cursor: str | None = None, limit: int
) -> Page[Delivery]:
    sql, values = _ALL, list[object]()
    for column, wanted in (("channel_id", channel_id), ("status", status)):
        if wanted:
            sql += f" AND d.{column} = ?"
            values.append(wanted)
    return paging.page(db, sql, values, _delivery, key="d.id", cursor=cursor, limit=limit, newest_first=True)


def due(db: Connection, channel_id: str, at: str, limit: int) -> tuple[Delivery, ...]:
    sql = f"{_ALL} AND d.channel_id = ? AND d.status = 'queued' AND d.next_at <= ? ORDER BY d.id LIMIT ?"
    return tuple(_delivery(row) for row in db.execute(sql, [channel_id, at, limit]))


def next_at(db: Connection, channel_id: str) -> str | None:
    sql = "SELECT min(next_at) FROM deliveries WHERE channel_id = ? AND status = 'queued'"
    (at,) = db.execute(sql, [channel_id]).fetchone()
    return str(at) if at else None


def end(db: Connection, delivery_id: str, status: str, at: str) -> None:
    db.execute(
        "UPDATE deliveries SET status = ?, ended_at = ?, next_at = NULL, tries = tries + 1 WHERE id = ?",
        [status, at, delivery_id],
    )


def later(db: Connection, delivery_id: str, at: str) -> None:
    db.execute("UPDATE deliveries SET tries = tries + 1, next_at = ? WHERE id = ?", [at, delivery_id])


def hold(db: Connection, channel_id: str, until: str) -> None:
    """Whatever else waits for the same channel waits as long."""
    sql = "UPDATE deliveries SET next_at = ? WHERE channel_id = ? AND status = 'queued' AND next_at < ?"
    db.execute(sql, [until, channel_id, until])


def again(db: Connection, delivery_id: str, at: str) -> None:
    """From the beginning; what was tried before stays on record."""
    sql = "UPDATE deliveries SET status = 'queued', tries = 0, next_at = ?, ended_at = NULL WHERE id = ?"
    db.execute(sql, [at, delivery_id])


def add_attempt(db: Connection, delivery_id: str, one: Attempt) -> None:
    db.execute(
        "INSERT INTO delivery_tries (delivery_id, at, took, succeeded, status, said) VALUES (?, ?, ?, ?, ?, ?)",
        [delivery_id, one.at, one.took, one.succeeded, one.status, one.said],
    )


def attempts(db: Connection, delivery_id: str) -> tuple[Attempt, ...]:
    """The newest first."""
    rows = db.execute("SELECT * FROM delivery_tries WHERE delivery_id = ? ORDER BY id DESC LIMIT 100", [delivery_id])
    return tuple(Attempt(row["at"], row["took"], bool(row["succeeded"]), row["status"], row["said"]) for row in rows)


def counts(db: Connection, channel_id: str) -> dict[str, int]:
    sql = "SELECT status, count(*) AS n FROM deliveries WHERE channel_id = ? GROUP BY status"
    return {row["status"]: row["n"] for row in db.execute(sql, [channel_id])}


def forget(db: Connection, before: str) -> int:
    return db.execute("DELETE FROM deliveries WHERE status <> 'queued' AND created_at < ?", [before]).rowcount


def _delivery(row: Row) -> Delivery:
    return Delivery(
        row["id"],
        row["channel_id"],
        row["channel"],
        row["event"],
        row["notice"],
        row["status"],
        row["tries"],
        row["created_at"],
        row["next_at"],
        row["ended_at"],
    )
