"""Certificates of URLs, and accounts at ACME servers. The certificates and keys themselves are files."""

from appliance.model.certificates import Certificate
from appliance.model.places import Place
from appliance.store.db import Connection, Row
from appliance.store.sight import Sight, environments_in

COLUMNS = (
    "tls",
    "redirect",
    "hsts",
    "status",
    "detail",
    "error",
    "files",
    "issuer",
    "expires",
    "renew_at",
    "tries",
    "asked_at",
)
BESIDE = ", ".join(f"c.{name} AS c_{name}" for name in COLUMNS) + ', c."order" AS c_order'  # for a SELECT of URLs
SELECT = f"""SELECT c.host, {BESIDE}, p.name AS project, e.name AS environment, e.project_id, u.environment_id
    FROM certificates c JOIN urls u ON u.host = c.host
    JOIN environments e ON e.id = u.environment_id JOIN projects p ON p.id = e.project_id"""  # noqa: S608 - names of ours


def put(db: Connection, one: Certificate) -> None:
    """All of it, as it is from now on."""
    values = [one.host, *(getattr(one, name) for name in COLUMNS), one.order]
    db.execute(
        f"""INSERT OR REPLACE INTO certificates (host, {", ".join(COLUMNS)}, "order")
        VALUES ({", ".join("?" * len(values))})""",  # noqa: S608 - names of ours
        values,
    )


def find(db: Connection, host: str) -> Certificate | None:
    row = db.execute(f"{SELECT} WHERE c.host = ?", [host]).fetchone()
    return of_row(row) if row else None


def several(db: Connection, hosts: tuple[str, ...]) -> dict[str, Certificate]:
    marks = ",".join("?" * len(hosts))
    rows = db.execute(f"{SELECT} WHERE c.host IN ({marks})", hosts)
    return {row["host"]: of_row(row) for row in rows}


def every(db: Connection, sight: Sight | None = None) -> tuple[Certificate, ...]:
    """Those that end soonest come first."""
    seen = environments_in(sight, "e.project_id", "e.id")
    rows = db.execute(f"{SELECT} WHERE c.tls <> 'off'{seen} ORDER BY c.expires IS NULL, c.expires, c.host")
    return tuple(of_row(row) for row in rows)


def remove(db: Connection, host: str) -> None:
    db.execute("DELETE FROM certificates WHERE host = ?", [host])


def due(db: Connection, at: str, most: int) -> tuple[str, ...]:
    """Hosts whose time to renew, or to try again, has come; the longest ago first."""
    rows = db.execute(
        "SELECT host FROM certificates WHERE renew_at <= ? AND tls <> 'off' ORDER BY renew_at, host LIMIT ?", [at, most]
    )
    return tuple(row["host"] for row in rows)


def to_ask(db: Connection, before: str, most: int) -> tuple[str, ...]:
    """Hosts of which an ACME server was not asked lately when to renew."""
    rows = db.execute(
        """SELECT host FROM certificates WHERE tls = 'acme' AND files <> '' AND (asked_at IS NULL OR asked_at < ?)
        ORDER BY asked_at, host LIMIT ?""",
        [before, most],
    )
    return tuple(row["host"] for row in rows)


def in_use(db: Connection) -> dict[str, str]:
    """By host, what its files are called."""
    return {row["host"]: row["files"] for row in db.execute("SELECT host, files FROM certificates WHERE files <> ''")}


def account(db: Connection, directory: str) -> tuple[str, str] | None:
    """The address of the account there, and its key, sealed."""
    row = db.execute("SELECT account, private FROM acme_accounts WHERE directory = ?", [directory]).fetchone()
    return (row["account"], row["private"]) if row else None


def put_account(db: Connection, directory: str, account: str, sealed: str, at: str) -> None:
    db.execute("INSERT OR REPLACE INTO acme_accounts VALUES (?, ?, ?, ?)", [directory, account, sealed, at])


def forget_account(db: Connection, directory: str) -> None:
    db.execute("DELETE FROM acme_accounts WHERE directory = ?", [directory])


def beside(row: Row) -> Certificate | None:
    """Of a row of URLs that was joined with this."""
    return of_row(row) if row["c_tls"] is not None else None


def of_row(row: Row) -> Certificate:
    return Certificate(
        host=row["host"],
        tls=row["c_tls"],
        redirect=bool(row["c_redirect"]),
        hsts=row["c_hsts"],
        status=row["c_status"],
        detail=row["c_detail"],
        error=row["c_error"],
        files=row["c_files"],
        issuer=row["c_issuer"],
        expires=row["c_expires"],
        renew_at=row["c_renew_at"],
        order=row["c_order"],
        tries=row["c_tries"],
        asked_at=row["c_asked_at"],
        project=row["project"],
        environment=row["environment"],
        at=Place(row["project_id"], row["environment_id"]),
    )
