"""Tries that failed: how many, and until when the next one has to wait."""

from dataclasses import dataclass

from appliance.store.db import Connection


@dataclass(frozen=True)
class Failed:
    times: int
    until: float  # seconds since 1970


def find(db: Connection, subject: str) -> Failed | None:
    row = db.execute("SELECT times, until FROM failures WHERE subject = ?", [subject]).fetchone()
    return Failed(row["times"], row["until"]) if row else None


def save(db: Connection, subject: str, failed: Failed) -> None:
    db.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?)", [subject, failed.times, failed.until])


def forget(db: Connection, subject: str) -> None:
    db.execute("DELETE FROM failures WHERE subject = ?", [subject])


def make_room(db: Connection, most: int, *, over: float) -> None:
    """What is long over goes first; after that those with the fewest failures, which a flood of names is made of."""
    if db.execute("SELECT count(*) FROM failures").fetchone()[0] < most:
        return
    db.execute("DELETE FROM failures WHERE until < ?", [over])
    db.execute(
        """DELETE FROM failures WHERE subject IN (SELECT subject FROM failures ORDER BY times, until
        LIMIT max(0, (SELECT count(*) FROM failures) - ?))""",
        [most * 3 // 4],
    )
