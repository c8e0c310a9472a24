"""Invitations; of their tokens, hashes alone."""

from appliance.model.invitations import Invitation, Promised
from appliance.model.places import Place
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, page


def add(db: Connection, invitation: Invitation, hashed: str) -> None:
    db.execute(
        """INSERT INTO invitations (id, email, role, hash, maker_id, joining, created_at, created_by, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            invitation.id,
            invitation.email,
            invitation.role,
            hashed,
            invitation.maker_id,
            invitation.joining,
            invitation.created_at,
            invitation.created_by,
            invitation.expires_at,
        ],
    )
    db.executemany(
        "INSERT INTO invitation_grants (invitation_id, project_id, environment_id, role) VALUES (?, ?, ?, ?)",
        [(invitation.id, one.at.project_id, one.at.environment_id, one.role) for one in invitation.grants],
    )


def find(db: Connection, invitation_id: str) -> Invitation | None:
    row = db.execute("SELECT * FROM invitations WHERE id = ?", [invitation_id]).fetchone()
    return _invitation(db, row) if row else None


def find_by_hash(db: Connection, hashed: str) -> Invitation | None:
    row = db.execute("SELECT * FROM invitations WHERE hash = ?", [hashed]).fetchone()
    return _invitation(db, row) if row else None


def find_for(db: Connection, email: str, *, joining: bool) -> Invitation | None:
    row = db.execute("SELECT * FROM invitations WHERE email = ? AND joining = ?", [email, joining]).fetchone()
    return _invitation(db, row) if row else None


def newest(db: Connection, *, cursor: str | None = None, limit: int = 50) -> Page[Invitation]:
    sql = "SELECT * FROM invitations WHERE 1"
    return page(db, sql, [], lambda row: _invitation(db, row), key="id", cursor=cursor, limit=limit, newest_first=True)


def renew(db: Connection, invitation: Invitation, hashed: str) -> None:
    """Another token, maker and end; the link before works no more."""
    db.execute(
        "UPDATE invitations SET hash = ?, maker_id = ?, created_at = ?, created_by = ?, expires_at = ? WHERE id = ?",
        [
            hashed,
            invitation.maker_id,
            invitation.created_at,
            invitation.created_by,
            invitation.expires_at,
            invitation.id,
        ],
    )


def remove(db: Connection, invitation_id: str) -> None:
    db.execute("DELETE FROM invitations WHERE id = ?", [invitation_id])


def forget_for(db: Connection, email: str) -> None:
    """Whoever is here needs no invitation any more."""
    db.execute("DELETE FROM invitations WHERE email = ?", [email])


def forget_expired(db: Connection, before: str) -> None:
    db.execute("DELETE FROM invitations WHERE expires_at < ?", [before])


def _invitation(db: Connection, row: Row) -> Invitation:
    promised = db.execute(
        """SELECT p.name AS project, e.name AS environment, g.* FROM invitation_grants g
        JOIN projects p ON p.id = g.project_id LEFT JOIN environments e ON e.id = g.environment_id
        WHERE g.invitation_id = ? ORDER BY p.name, e.name""",
        [row["id"]],
    )
    return Invitation(
        id=row["id"],
        email=row["email"],
        role=row["role"],
        grants=tuple(_promised(one) for one in promised),
        created_at=row["created_at"],
        created_by=row["created_by"],
        maker_id=row["maker_id"],
        expires_at=row["expires_at"],
        joining=bool(row["joining"]),
    )


def _promised(row: Row) -> Promised:
    return Promised(row["project"], row["environment"], row["role"], Place(row["project_id"], row["environment_id"]))
