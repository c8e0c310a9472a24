"""Rules: kept once, by their key, for every deployment that froze them."""

from appliance.model.rules import Rules
from appliance.store.db import Connection


def keep(db: Connection, rules: Rules) -> None:
    db.execute("INSERT OR IGNORE INTO rules VALUES (?, ?)", [rules.key, rules.text])


def find(db: Connection, key: str) -> Rules | None:
    row = db.execute("SELECT body FROM rules WHERE key = ?", [key]).fetchone()
    return Rules.of(row["body"]) if row else None
