"""URLs. What has to be undone outside when one is removed is in the journal."""

import json

from appliance.model.fronts import Front
from appliance.model.urls import Part, Url
from appliance.store import certificates
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, like, page
from appliance.store.sight import Sight, environments_in

SELECT = f"""SELECT u.*, p.name AS project, e.name AS environment, e.project_id, {certificates.BESIDE} FROM urls u
    JOIN environments e ON e.id = u.environment_id JOIN projects p ON p.id = e.project_id
    LEFT JOIN certificates c ON c.host = u.host"""  # noqa: S608 - names of ours


def add(
    db: Connection,
    host: str,
    environment_id: int,
    *,
    proxied: bool | None,
    at: str,
    by: str,
    front: Front = Front(),  # noqa: B008 - frozen
) -> None:
    db.execute(
        """INSERT INTO urls (host, environment_id, status, nginx, dns, proxied, created_at, created_by, front)
        VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, ?)""",
        [host, environment_id, _text(Part("pending")), _text(Part("waiting")), proxied, at, by, front.text],
    )


def find(db: Connection, host: str) -> Url | None:
    row = db.execute(f"{SELECT} WHERE u.host = ?", [host]).fetchone()
    return _url(row) if row else None


def of_environment(db: Connection, environment_id: int) -> tuple[Url, ...]:
    rows = db.execute(f"{SELECT} WHERE u.environment_id = ? ORDER BY u.host", [environment_id])
    return tuple(_url(row) for row in rows)


def of_project(db: Connection, project_id: int) -> tuple[Url, ...]:
    rows = db.execute(f"{SELECT} WHERE e.project_id = ? ORDER BY u.host", [project_id])
    return tuple(_url(row) for row in rows)


def of_environments(db: Connection, environment_ids: tuple[int, ...]) -> dict[int, tuple[Url, ...]]:
    """The URLs of several environments in one look."""
    marks = ",".join("?" * len(environment_ids))
    rows = db.execute(
        f"{SELECT} WHERE u.environment_id IN ({marks}) ORDER BY u.host",
        environment_ids,
    )
    found: dict[int, list[Url]] = {environment_id: [] for environment_id in environment_ids}
    for row in rows:
        found[row["environment_id"]].append(_url(row))
    return {environment_id: tuple(those) for environment_id, those in found.items()}


def search(
    db: Connection,
    q: str = "",
    *,
    status: str | None = None,
    environment_id: int | None = None,
    cursor: str | None = None,
    limit: int = 50,
    sight: Sight | None = None,
) -> Page[Url]:
    sql, values = f"{SELECT} WHERE 1{environments_in(sight, 'e.project_id', 'e.id')}", list[object]()
    if environment_id is not None:
        sql += " AND u.environment_id = ?"
        values.append(environment_id)
    if q:
        sql += " AND u.host LIKE ? ESCAPE '\\'"
        values.append(like(q))
    if status:
        sql += " AND u.status = ?"
        values.append(status)
    return page(db, sql, values, _url, key="u.host", cursor=cursor, limit=limit)


def beside(db: Connection, host: str) -> tuple[Url, ...]:
    """Every URL whose domain is above this one or below it."""
    bare = host.removeprefix("*.")
    above = [".".join(bare.split(".")[at:]) for at in range(bare.count(".") + 1)]
    names = [*above, *(f"*.{one}" for one in above)]
    marks = ",".join("?" * len(names))
    sql = f"{SELECT} WHERE (u.host IN ({marks}) OR u.host LIKE ? ESCAPE '\\') AND u.host <> ? ORDER BY u.host"
    return tuple(_url(row) for row in db.execute(sql, [*names, like(f".{bare}").removesuffix("%"), host]))


def every(db: Connection) -> tuple[Url, ...]:
    return tuple(_url(row) for row in db.execute(f"{SELECT} ORDER BY u.host"))


def any_at_all(db: Connection) -> bool:
    return db.execute("SELECT 1 FROM urls LIMIT 1").fetchone() is not None


def set_state(db: Connection, host: str, status: str, error: str | None = None) -> None:
    db.execute("UPDATE urls SET status = ?, error = ? WHERE host = ?", [status, error, host])


def set_front(db: Connection, host: str, front: Front) -> None:
    db.execute("UPDATE urls SET front = ? WHERE host = ?", [front.text, host])


def set_primary(db: Connection, environment_id: int, host: str | None) -> None:
    """One of an environment, or none."""
    db.execute("UPDATE urls SET main = (host IS ?) WHERE environment_id = ?", [host, environment_id])


def set_nginx(db: Connection, host: str, part: Part) -> None:
    db.execute("UPDATE urls SET nginx = ? WHERE host = ?", [_text(part), host])


def set_dns(db: Connection, host: str, part: Part) -> None:
    db.execute("UPDATE urls SET dns = ? WHERE host = ?", [_text(part), host])


def remove(db: Connection, host: str) -> None:
    db.execute("DELETE FROM urls WHERE host = ?", [host])


def counts(db: Connection) -> dict[str, int]:
    rows = db.execute("SELECT status, n FROM url_counts WHERE n > 0 ORDER BY status")
    return {row["status"]: row["n"] for row in rows}


def _text(part: Part) -> str:
    return json.dumps([part.status, part.detail, part.note])


def _url(row: Row) -> Url:
    return Url(
        host=row["host"],
        project=row["project"],
        environment=row["environment"],
        environment_id=row["environment_id"],
        status=row["status"],
        error=row["error"],
        nginx=Part(*json.loads(row["nginx"])),
        dns=Part(*json.loads(row["dns"])),
        proxied=None if row["proxied"] is None else bool(row["proxied"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        project_id=row["project_id"],
        certificate=certificates.beside(row),
        primary=bool(row["main"]),
        front=Front.of(row["front"]),
    )
