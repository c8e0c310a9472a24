"""Activity: rows are added, never changed; the table's triggers see to it, and each is bound to those before it."""

import json
from collections.abc import Iterator

from appliance.model.activity import Activity, Wanted, link
from appliance.model.places import Place
from appliance.store.db import Connection, Row
from appliance.store.paging import Page, like, page
from appliance.store.sight import Sight, environments_in

COLUMNS = (
    "id",
    "at",
    "actor",
    "actor_kind",
    "verb",
    "subject",
    "project",
    "environment",
    "deployment",
    "door",
    "ip",
    "data",
    "person",
    "key_id",
    "project_id",
    "environment_id",
)  # all that the hash of a row is of, besides the hash before it
_ADD = f"INSERT INTO activity ({', '.join(COLUMNS)}, hash) VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"  # noqa: S608
SOME = 1000  # rows that are read at once where all of them are


def add(db: Connection, entry: Activity, key: bytes, at: Place | None) -> None:
    """In the transaction that did what it tells of: nobody else can add one in between."""
    last, before = head(db)
    values = [
        max(last, highest(db)) + 1,
        entry.at,
        entry.actor,
        entry.actor_kind,
        entry.verb,
        entry.subject,
        entry.project,
        entry.environment,
        entry.deployment,
        entry.door,
        entry.ip,
        json.dumps(entry.data),
        entry.person,
        entry.key_id,
        at.project_id if at else None,
        at.environment_id if at else None,
    ]
    db.execute(_ADD, [*values, link(key, before, values)])


def place_of(db: Connection, project: str, environment: str | None) -> Place | None:
    """By names: numbers tell a project from another one that has its name later."""
    row = db.execute(
        """SELECT p.id, e.id AS environment_id FROM projects p
        LEFT JOIN environments e ON e.project_id = p.id AND e.name = ? WHERE p.name = ?""",
        [environment, project],
    ).fetchone()
    return Place(row["id"], row["environment_id"]) if row else None


def head(db: Connection) -> tuple[int, str]:
    """The number and the hash of the newest row."""
    row = db.execute("SELECT id, hash FROM activity ORDER BY id DESC LIMIT 1").fetchone()
    return (row["id"], row["hash"]) if row else (0, "")


def highest(db: Connection) -> int:
    """The highest number that was ever given to a row."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'activity'").fetchone()
    return int(row["seq"]) if row else 0


def hash_of(db: Connection, number: int) -> str | None:
    row = db.execute("SELECT hash FROM activity WHERE id = ?", [number]).fetchone()
    return row["hash"] if row else None


def unchained(db: Connection) -> bool:
    """Whether the rows are of a time before each was bound to the one before it."""
    row = db.execute("SELECT hash FROM activity ORDER BY id LIMIT 1").fetchone()
    return row is not None and row["hash"] == ""


def chain(db: Connection, key: bytes) -> None:
    """Bind rows of an earlier time to each other."""
    before = ""
    for values, _ in chained(db, until=head(db)[0]):
        before = link(key, before, values)
        db.execute("UPDATE activity SET hash = ? WHERE id = ? AND hash = ''", [before, values[0]])


def chained(db: Connection, *, until: int) -> Iterator[tuple[tuple[object, ...], str]]:
    """What each row holds, and its hash, from the first one on."""
    sql = f"SELECT {', '.join(COLUMNS)}, hash FROM activity WHERE id > ? AND id <= ? ORDER BY id LIMIT {SOME}"  # noqa: S608
    after = 0
    while rows := db.execute(sql, [after, until]).fetchall():
        for row in rows:
            yield tuple(row)[:-1], row["hash"]
        after = rows[-1]["id"]


def newest(
    db: Connection,
    wanted: Wanted = Wanted(),  # noqa: B008 - frozen
    *,
    cursor: str | int | None = None,
    limit: int = 50,
    sight: Sight | None = None,
) -> Page[Activity]:
    where, values = _where(wanted, sight)
    sql = f"SELECT * FROM activity WHERE {where}"  # noqa: S608 - marks only
    return page(db, sql, values, _activity, key="id", cursor=cursor, limit=limit, newest_first=True)


def following(
    db: Connection,
    after: int,
    wanted: Wanted = Wanted(),  # noqa: B008 - frozen
    *,
    until: int,
    limit: int = SOME,
    sight: Sight | None = None,
) -> tuple[Activity, ...]:
    """The next ones in the order in which they were recorded."""
    where, values = _where(wanted, sight)
    sql = f"SELECT * FROM activity WHERE {where} AND id > ? AND id <= ? ORDER BY id LIMIT ?"  # noqa: S608 - marks only
    return tuple(_activity(row) for row in db.execute(sql, [*values, after, until, limit]))


def of_place(db: Connection, kind: str, place: Place, limit: int) -> tuple[Activity, ...]:
    """The newest of a kind in a project as a whole, and in the one environment where that is named."""
    rows = db.execute(
        """SELECT * FROM activity WHERE project_id = ? AND verb LIKE ? ESCAPE '\\'
        AND (environment_id IS NULL OR environment_id = ?) ORDER BY id DESC LIMIT ?""",
        [place.project_id, like(kind)[1:-1] + ".%", place.environment_id, limit],
    )
    return tuple(_activity(row) for row in rows)


def last_of_projects(db: Connection, names: tuple[str, ...], sight: Sight | None = None) -> dict[str, Activity]:
    """The newest activity of each project."""
    marks = ",".join("?" * len(names))
    seen = environments_in(sight, "project_id", "environment_id")
    newest_ids = f"SELECT max(id) FROM activity WHERE project IN ({marks}){seen} GROUP BY project"  # noqa: S608
    rows = db.execute(f"SELECT * FROM activity WHERE id IN ({newest_ids})", names)  # noqa: S608
    return {row["project"]: _activity(row) for row in rows}


def count(db: Connection) -> int:
    """None is ever removed, so the last one's number is how many there are."""
    return head(db)[0]


def actors(db: Connection, sight: Sight | None = None) -> tuple[str, ...]:
    """Each found from the one before it: there are few of them, whatever they did."""
    seen = environments_in(sight, "project_id", "environment_id")
    rows = db.execute(
        f"""WITH RECURSIVE found (actor) AS (
            SELECT min(actor) FROM activity WHERE 1{seen}
            UNION ALL SELECT (SELECT min(actor) FROM activity WHERE actor > found.actor{seen}) FROM found
            WHERE found.actor IS NOT NULL
        ) SELECT actor FROM found WHERE actor IS NOT NULL"""  # noqa: S608 - numbers only
    )
    return tuple(row["actor"] for row in rows)


def _where(wanted: Wanted, sight: Sight | None) -> tuple[str, list[object]]:
    sql, values = "1" + environments_in(sight, "project_id", "environment_id"), list[object]()
    if wanted.q:
        sql += " AND (subject LIKE ? ESCAPE '\\' OR verb LIKE ? ESCAPE '\\' OR data LIKE ? ESCAPE '\\')"
        values += [like(wanted.q)] * 3
    for column in ("actor", "person", "project", "environment"):
        if value := getattr(wanted, column):
            sql += f" AND {column} = ?"
            values.append(value)
    if wanted.key:
        sql += " AND (key_id = ? OR (actor_kind = 'key' AND actor = ?))"
        values += [wanted.key, wanted.key]
    if wanted.verb:
        sql += " AND (verb = ? OR verb LIKE ? ESCAPE '\\')"
        values += [wanted.verb, like(wanted.verb)[1:-1] + ".%"]
    for bound, value in (("at >= ?", wanted.since), ("at < ?", wanted.until)):
        if value:
            sql += f" AND {bound}"
            values.append(value)
    return sql, values


def _activity(row: Row) -> Activity:
    return Activity(
        id=row["id"],
        at=row["at"],
        actor=row["actor"],
        actor_kind=row["actor_kind"],
        verb=row["verb"],
        subject=row["subject"],
        project=row["project"],
        environment=row["environment"],
        deployment=row["deployment"],
        door=row["door"],
        ip=row["ip"],
        data=json.loads(row["data"]),
        person=row["person"],
        key_id=row["key_id"],
        hash=row["hash"],
    )
