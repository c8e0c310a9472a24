"""Channels, what is secret of them, and which of them want to hear of something."""

import json
from collections.abc import Mapping

from appliance.model.channels import Channel
from appliance.store.db import Connection, Row

_ALL = """SELECT c.*, (
    SELECT json_group_array(name) FROM (
        SELECT p.name FROM channel_projects x JOIN projects p ON p.id = x.project_id WHERE x.channel_id = c.id
        ORDER BY p.name
    )
) AS projects FROM channels c"""


def add(db: Connection, one: Channel) -> None:
    db.execute(
        """INSERT INTO channels (id, kind, name, address, events, everywhere, created_at, created_by)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            one.id,
            one.kind,
            one.name,
            one.address,
            json.dumps(one.events),
            one.everywhere,
            one.created_at,
            one.created_by,
        ],
    )


def change(db: Connection, one: Channel) -> None:
    db.execute(
        "UPDATE channels SET name = ?, address = ?, events = ?, everywhere = ? WHERE id = ?",
        [one.name, one.address, json.dumps(one.events), one.everywhere, one.id],
    )


def set_projects(db: Connection, channel_id: str, projects: tuple[int, ...]) -> None:
    db.execute("DELETE FROM channel_projects WHERE channel_id = ?", [channel_id])
    for project_id in projects:
        db.execute("INSERT INTO channel_projects (channel_id, project_id) VALUES (?, ?)", [channel_id, project_id])


def remove(db: Connection, channel_id: str) -> None:
    db.execute("DELETE FROM channels WHERE id = ?", [channel_id])


def everyone(db: Connection) -> tuple[Channel, ...]:
    return tuple(_channel(row) for row in db.execute(f"{_ALL} ORDER BY c.name"))


def find(db: Connection, channel_id: str) -> Channel | None:
    row = db.execute(f"{_ALL} WHERE c.id = ?", [channel_id]).fetchone()
    return _channel(row) if row else None


def find_by_name(db: Connection, name: str) -> Channel | None:
    row = db.execute(f"{_ALL} WHERE c.name = ?", [name]).fetchone()
    return _channel(row) if row else None


def wanting(db: Connection, event: str, project: str | None) -> tuple[str, ...]:
    """Those that want to hear of this event, in this project where it is of one."""
    rows = db.execute(
        """SELECT c.id FROM channels c WHERE EXISTS (SELECT 1 FROM json_each(c.events) WHERE value = ?)
        AND (? IS NULL OR c.everywhere OR EXISTS (
            SELECT 1 FROM channel_projects x JOIN projects p ON p.id = x.project_id
            WHERE x.channel_id = c.id AND p.name = ?))
        ORDER BY c.id""",
        [event, project, project],
    )
    return tuple(row["id"] for row in rows)


def secret_name(channel_id: str, part: str) -> str:
    return f"{channel_id} {part}"


def set_secrets(db: Connection, channel_id: str, sealed: Mapping[str, str]) -> None:
    """Those that are named here; an empty one goes."""
    for part, value in sealed.items():
        name = secret_name(channel_id, part)
        db.execute("DELETE FROM channel_secrets WHERE id = ?", [name])
        if value:
            sql = "INSERT INTO channel_secrets (id, channel_id, part, value) VALUES (?, ?, ?, ?)"
            db.execute(sql, [name, channel_id, part, value])


def secrets(db: Connection, channel_id: str) -> dict[str, str]:
    """Sealed, by part."""
    rows = db.execute("SELECT part, value FROM channel_secrets WHERE channel_id = ?", [channel_id])
    return {row["part"]: row["value"] for row in rows}


def _channel(row: Row) -> Channel:
    return Channel(
        row["id"],
        row["kind"],
        row["name"],
        row["address"],
        tuple(json.loads(row["events"])),
        bool(row["everywhere"]),
        row["created_at"],
        row["created_by"],
        tuple(json.loads(row["projects"])),
    )
