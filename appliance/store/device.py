"""Logins at terminals that wait for a yes in a browser."""

from appliance.model.device import DeviceLogin
from appliance.model.scopes import Scope
from appliance.store.db import Connection, Row
from appliance.store.keys import scope_of, scope_text


def add(db: Connection, login: DeviceLogin) -> None:
    db.execute(
        """INSERT INTO device_logins (hash, code, device, account, ip, created_at, expires_at, wait, status)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            login.hash,
            login.code,
            login.device,
            login.account,
            login.ip,
            login.created_at,
            login.expires_at,
            login.wait,
            login.status,
        ],
    )


def count(db: Connection) -> int:
    (number,) = db.execute("SELECT count(*) FROM device_logins").fetchone()
    return int(number)


def by_hash(db: Connection, hashed: str) -> DeviceLogin | None:
    row = db.execute("SELECT * FROM device_logins WHERE hash = ?", [hashed]).fetchone()
    return _login(row) if row else None


def by_code(db: Connection, code: str) -> DeviceLogin | None:
    row = db.execute("SELECT * FROM device_logins WHERE code = ?", [code]).fetchone()
    return _login(row) if row else None


def polled(db: Connection, hashed: str, at: str, wait: int) -> None:
    db.execute("UPDATE device_logins SET polled_at = ?, wait = ? WHERE hash = ?", [at, wait, hashed])


def allow(db: Connection, hashed: str, person_id: str, *, name: str, expires_at: str | None, scope: Scope) -> None:
    db.execute(
        """UPDATE device_logins SET status = 'allowed', person_id = ?, key_name = ?, key_expires_at = ?, key_scope = ?
        WHERE hash = ?""",
        [person_id, name, expires_at, scope_text(scope), hashed],
    )


def deny(db: Connection, hashed: str) -> None:
    db.execute("UPDATE device_logins SET status = 'denied' WHERE hash = ?", [hashed])


def remove(db: Connection, hashed: str) -> None:
    db.execute("DELETE FROM device_logins WHERE hash = ?", [hashed])


def forget(db: Connection, before: str) -> None:
    db.execute("DELETE FROM device_logins WHERE expires_at < ?", [before])


def _login(row: Row) -> DeviceLogin:
    return DeviceLogin(
        row["hash"],
        row["code"],
        row["device"],
        row["account"],
        row["ip"],
        row["created_at"],
        row["expires_at"],
        row["polled_at"],
        row["wait"],
        row["status"],
        row["person_id"],
        row["key_name"] or "",
        row["key_expires_at"],
        scope_of(row["key_scope"]) if row["key_scope"] else None,
    )
