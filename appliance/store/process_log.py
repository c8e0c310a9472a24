"""Lines of the process log: added, read in order, and forgotten from the oldest on."""

import json

from appliance.model.process_log import LogAsked, LogLine
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, like, page


def add(db: Connection, line: LogLine) -> int:
    """The number that it gets is never given out again."""
    cursor = db.execute(
        "INSERT INTO process_log (at, area, level, subject, project, text, todo) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [line.at, line.area, line.level, line.subject, line.project, line.text, json.dumps(line.todo)],
    )
    return int(cursor.lastrowid or 0)


def newest(db: Connection, asked: LogAsked, *, cursor: int | None, limit: int) -> Page[LogLine]:
    sql, values = _where(asked)
    return page(db, sql, values, _line, key="id", cursor=cursor, limit=limit, newest_first=True)


def after(db: Connection, asked: LogAsked, number: int, limit: int) -> tuple[LogLine, ...]:
    """Those that came since, the oldest first."""
    sql, values = _where(asked)
    return page(db, sql, values, _line, key="id", cursor=number, limit=limit).items


def last_number(db: Connection) -> int:
    return int(db.execute("SELECT coalesce(max(id), 0) FROM process_log").fetchone()[0])


def count(db: Connection, asked: LogAsked) -> int:
    sql, values = _where(asked)
    return int(db.execute(sql.replace("SELECT *", "SELECT count(*)", 1), values).fetchone()[0])


def trim(db: Connection, *, before: str, most: int) -> None:
    """What is too old goes, and the oldest of what is too many."""
    db.execute("DELETE FROM process_log WHERE at < ?", [before])
    db.execute(
        "DELETE FROM process_log WHERE id <= (SELECT id FROM process_log ORDER BY id DESC LIMIT 1 OFFSET ?)", [most]
    )


def _where(asked: LogAsked) -> tuple[str, list[object]]:
    sql, values = "SELECT * FROM process_log WHERE 1", list[object]()
    if asked.q:
        sql += " AND (text LIKE ? ESCAPE '\\' OR subject LIKE ? ESCAPE '\\' OR todo LIKE ? ESCAPE '\\')"
        values += [like(asked.q)] * 3
    if asked.level:
        sql += f" AND level IN ({','.join('?' * len(asked.levels))})"
        values += asked.levels
    for bound, value in (("area = ?", asked.area), ("project = ?", asked.project), ("at >= ?", asked.since)):
        if value:
            sql += f" AND {bound}"
            values.append(value)
    return sql, values


def _line(row: Row) -> LogLine:
    return LogLine(
        row["id"],
        row["at"],
        row["area"],
        row["level"],
        row["subject"],
        row["project"],
        row["text"],
        tuple(json.loads(row["todo"])),
    )
