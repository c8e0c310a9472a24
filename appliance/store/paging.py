"""A page of a list, and where the next one begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from appliance.store.db import Connection, Row

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    next: str | None


def page(
    db: Connection,
    sql: str,
    values: Sequence[object],
    shape: Callable[[Row], T],
    *,
    key: str,
    cursor: str | int | None,
    limit: int,
    newest_first: bool = False,
) -> Page[T]:
    """Run a SELECT whose WHERE is still open, in the order of the column `key`."""
    given = list(values)
    if cursor is not None:
        sql += f" AND {key} {'<' if newest_first else '>'} ?"
        given.append(cursor)
    sql += f" ORDER BY {key} {'DESC' if newest_first else 'ASC'} LIMIT ?"
    rows = db.execute(sql, [*given, limit + 1]).fetchall()
    more = len(rows) > limit
    column = key.rsplit(".", maxsplit=1)[-1]
    return Page(tuple(shape(row) for row in rows[:limit]), str(rows[limit - 1][column]) if more else None)


def like(text: str) -> str:
    """A LIKE pattern that finds the text anywhere, taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
