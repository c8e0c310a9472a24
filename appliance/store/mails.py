"""Messages that wait to be sent; gone once they are."""

from appliance.model.mails import Mail
from appliance.store.db import Connection


def add(db: Connection, mail: Mail) -> None:
    db.execute(
        "INSERT INTO mails (id, recipient, subject, body, created_at) VALUES (?, ?, ?, ?, ?)",
        [mail.id, mail.to, mail.subject, mail.body, mail.created_at],
    )


def find(db: Connection, mail_id: str) -> Mail | None:
    row = db.execute("SELECT * FROM mails WHERE id = ?", [mail_id]).fetchone()
    if row is None:
        return None
    return Mail(row["id"], row["recipient"], row["subject"], row["body"], row["created_at"], row["tries"])


def tried(db: Connection, mail_id: str) -> None:
    db.execute("UPDATE mails SET tries = tries + 1 WHERE id = ?", [mail_id])


def remove(db: Connection, mail_id: str) -> None:
    db.execute("DELETE FROM mails WHERE id = ?", [mail_id])
