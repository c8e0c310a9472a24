"""Second factors: authenticator apps, passkeys, recovery codes."""

from collections.abc import Iterable

from appliance.model.factors import Factors, Passkey, Totp
from appliance.store.db import Connection, Row


def of_person(db: Connection, person_id: str) -> Factors:
    app = totp(db, person_id)
    return Factors(app.on_since if app else None, passkeys(db, person_id), recovery_codes_left(db, person_id))


def forget_all(db: Connection, person_id: str) -> None:
    db.execute("DELETE FROM totp WHERE person_id = ?", [person_id])
    db.execute("DELETE FROM passkeys WHERE person_id = ?", [person_id])
    db.execute("DELETE FROM recovery_codes WHERE person_id = ?", [person_id])


def totp(db: Connection, person_id: str) -> Totp | None:
    row = db.execute("SELECT * FROM totp WHERE person_id = ?", [person_id]).fetchone()
    return Totp(row["person_id"], row["secret"], row["created_at"], row["on_since"], row["step"]) if row else None


def put_totp(db: Connection, made: Totp) -> None:
    db.execute(
        "INSERT OR REPLACE INTO totp (person_id, secret, created_at, on_since, step) VALUES (?, ?, ?, ?, ?)",
        [made.person_id, made.sealed, made.created_at, made.on_since, made.step],
    )


def used_totp(db: Connection, person_id: str, step: int) -> None:
    db.execute("UPDATE totp SET step = ? WHERE person_id = ?", [step, person_id])


def switch_totp_on(db: Connection, person_id: str, at: str) -> None:
    db.execute("UPDATE totp SET on_since = ? WHERE person_id = ?", [at, person_id])


def remove_totp(db: Connection, person_id: str) -> None:
    db.execute("DELETE FROM totp WHERE person_id = ?", [person_id])


def passkeys(db: Connection, person_id: str) -> tuple[Passkey, ...]:
    rows = db.execute("SELECT * FROM passkeys WHERE person_id = ? ORDER BY id", [person_id])
    return tuple(_passkey(row) for row in rows)


def passkey(db: Connection, passkey_id: str) -> Passkey | None:
    row = db.execute("SELECT * FROM passkeys WHERE id = ?", [passkey_id]).fetchone()
    return _passkey(row) if row else None


def passkey_by_credential(db: Connection, credential: str) -> Passkey | None:
    row = db.execute("SELECT * FROM passkeys WHERE credential = ?", [credential]).fetchone()
    return _passkey(row) if row else None


def add_passkey(db: Connection, made: Passkey) -> None:
    db.execute(
        """INSERT INTO passkeys (id, person_id, name, credential, public_key, counter, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [made.id, made.person_id, made.name, made.credential, made.public_key, made.counter, made.created_at],
    )


def used_passkey(db: Connection, passkey_id: str, counter: int, at: str) -> None:
    db.execute("UPDATE passkeys SET counter = ?, used_at = ? WHERE id = ?", [counter, at, passkey_id])


def remove_passkey(db: Connection, passkey_id: str) -> None:
    db.execute("DELETE FROM passkeys WHERE id = ?", [passkey_id])


def use_challenge(db: Connection, hashed: str, *, at: str, until: str) -> bool:
    """Whether it is the first time."""
    db.execute("DELETE FROM used_challenges WHERE expires_at < ?", [at])
    return db.execute("INSERT OR IGNORE INTO used_challenges VALUES (?, ?)", [hashed, until]).rowcount == 1


def recovery_codes_left(db: Connection, person_id: str) -> int:
    (count,) = db.execute("SELECT count(*) FROM recovery_codes WHERE person_id = ?", [person_id]).fetchone()
    return int(count)


def put_recovery_codes(db: Connection, person_id: str, hashes: Iterable[str]) -> None:
    """In place of those before."""
    db.execute("DELETE FROM recovery_codes WHERE person_id = ?", [person_id])
    db.executemany("INSERT INTO recovery_codes VALUES (?, ?)", [(person_id, one) for one in hashes])


def use_recovery_code(db: Connection, person_id: str, hashed: str) -> bool:
    """Whether there was one; it is gone now."""
    sql = "DELETE FROM recovery_codes WHERE person_id = ? AND hash = ?"
    return db.execute(sql, [person_id, hashed]).rowcount == 1


def _passkey(row: Row) -> Passkey:
    return Passkey(
        id=row["id"],
        person_id=row["person_id"],
        name=row["name"],
        credential=row["credential"],
        public_key=row["public_key"],
        counter=row["counter"],
        created_at=row["created_at"],
        used_at=row["used_at"],
    )
