"""Edits by hand in NGINX's files of URLs: what was noticed, and what someone decided to keep."""

from appliance.model.edits import Edit, SeenEdit
from appliance.store.db import Connection, Row


def everyone(db: Connection) -> tuple[SeenEdit, ...]:
    return tuple(_seen(row) for row in db.execute("SELECT * FROM nginx_edits ORDER BY host"))


def find(db: Connection, host: str) -> SeenEdit | None:
    row = db.execute("SELECT * FROM nginx_edits WHERE host = ?", [host]).fetchone()
    return _seen(row) if row else None


def kept(db: Connection) -> frozenset[str]:
    """The hosts whose file stays as someone edited it."""
    return frozenset(row["host"] for row in db.execute("SELECT host FROM nginx_edits WHERE kept_at IS NOT NULL"))


def undecided(db: Connection) -> int:
    """How many there are of which nobody has said what is to become of them."""
    (number,) = db.execute("SELECT count(*) FROM nginx_edits WHERE kept_at IS NULL").fetchone()
    return int(number)


def put(db: Connection, edit: Edit, at: str) -> None:
    """Noticed now; whatever was decided of an earlier one no longer counts."""
    db.execute(
        """INSERT OR REPLACE INTO nginx_edits (host, what, detail, body, wanted, seen_at) VALUES (?, ?, ?, ?, ?, ?)""",
        [edit.host, edit.what, edit.detail, edit.text, edit.wanted, at],
    )


def set_wanted(db: Connection, host: str, wanted: str) -> None:
    """What Homeport would have there may change while an edit stands."""
    db.execute("UPDATE nginx_edits SET wanted = ? WHERE host = ?", [wanted, host])


def keep(db: Connection, host: str, at: str, by: str) -> None:
    db.execute("UPDATE nginx_edits SET kept_at = ?, kept_by = ? WHERE host = ?", [at, by, host])


def remove(db: Connection, host: str) -> None:
    db.execute("DELETE FROM nginx_edits WHERE host = ?", [host])


def _seen(row: Row) -> SeenEdit:
    edit = Edit(row["host"], row["what"], row["detail"], row["body"], row["wanted"])
    return SeenEdit(edit, row["seen_at"], row["kept_at"], row["kept_by"])
