"""Contents that people sent lately."""

from collections.abc import Collection

from appliance.store.db import Connection


def add(db: Connection, person_id: str, contents: Collection[str], at: str) -> int:
    """How many of them this person had not sent."""
    (before,) = db.execute("SELECT total_changes()").fetchone()
    news = [(person_id, sha256, at) for sha256 in contents]
    db.executemany("INSERT OR IGNORE INTO sent_contents VALUES (?, ?, ?)", news)
    (after,) = db.execute("SELECT total_changes()").fetchone()
    db.executemany("UPDATE sent_contents SET at = ?3 WHERE person_id = ?1 AND sha256 = ?2", news)
    return int(after) - int(before)


def by(db: Connection, person_id: str, wanted: Collection[str]) -> set[str]:
    rows = db.execute("SELECT sha256 FROM sent_contents WHERE person_id = ?", [person_id])
    return {row["sha256"] for row in rows if row["sha256"] in wanted}


def forget(db: Connection, before: str) -> None:
    db.execute("DELETE FROM sent_contents WHERE at < ?", [before])
