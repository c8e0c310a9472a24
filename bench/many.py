"""Every list and endpoint with 10,000 projects and 100,000 deployments, against the same with 100 projects."""

import json
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx

from bench.tables import Row
from tests.appliance import EMAIL, PASSWORD, Appliance

FEW, MANY = 100, 10_000
EACH = 10  # deployments of a project
ROUNDS = 25
GOAL = 1.5
AT = "2026-01-01T00:00:00Z"
KEPT = range(6, EACH + 1)  # of those, the releases that are still there
SHOPS = range(81, 101)  # projects of another name: a search finds the same few among many as among few

API = (
    "/projects", "/projects?q=project", "/projects?q=shop", "/projects?q=nothing", "/projects/project-50",
    "/projects/project-50/environments", "/projects/project-50/environments/production",
    "/projects/project-50/environments/production/deployments", "/deployments", "/deployments?status=failed",
    "/deployments?status=running", "/deployments?project=project-50", "/deployments?environment=production",
    "/deployments?project=project-50&environment=production&status=succeeded", "/deployments/{deployment}",
    "/deployments/{deployment}/xray", "/deployments/{deployment}/log", "/bundles/{bundle}",
    "/projects/project-50/environments/production/urls", "/urls", "/activity", "/activity?project=project-50", "/keys",
    "/me", "/backups", "/cleanup", "/nginx",
)  # fmt: skip
PAGES = (
    "/projects", "/projects?q=project", "/projects?q=shop", "/projects/project-50",
    "/projects/project-50/environments/production",
    "/deployments", "/deployments?status=failed", "/deployments/{deployment}", "/urls", "/activity",
    "/activity?project=project-50", "/settings", "/settings/keys", "/settings/cleanup", "/settings/backups", "/new",
)  # fmt: skip
PLAIN = ("/healthz", "/metrics")


@dataclass(frozen=True)
class Door:
    http: httpx.Client
    database: Path


def rows(folder: Path, runs: int) -> list[Row]:
    few, many = Appliance(folder / "few"), Appliance(folder / "many")
    for ours, count in ((few, FEW), (many, MANY)):
        with ours:
            pass
        fill(ours.data / "homeport.db", count)
    try:
        small, large = few.start(), many.start()
        return [_row(*pair, rounds=ROUNDS * runs // 5) for pair in _side_by_side(small, large)]
    finally:
        few.kill()
        many.kill()


def fill(database: Path, count: int) -> None:
    """Rows as use leaves them, put where they belong without the days that using it would take."""
    with closing(sqlite3.connect(database)) as db, db:
        db.executemany(
            "INSERT INTO projects (id, name, created_at, created_by, last_number) VALUES (?, ?, ?, 'owner', ?)",
            ((n, _name(n), AT, EACH) for n in range(1, count + 1)),
        )
        db.executemany(
            "INSERT INTO environments (id, project_id, name, backend, created_at, live) VALUES (?, ?, ?, ?, ?, ?)",
            (row for n in range(1, count + 1) for row in _environments(n)),
        )
        db.executemany(
            """INSERT INTO bundles (sha256, size, files, unpacked, filename, created_at, created_by, release)
            VALUES (?, 1000, 3, 2000, 'site.zip', ?, 'owner', ?)""",
            ((_sha(n), AT, _sha(n)) for n in range(1, count * EACH + 1)),
        )
        db.executemany(
            "INSERT INTO releases (name, files, unpacked, made_at, written) VALUES (?, 3, 2000, ?, 1)",
            (
                (_sha((n - 1) * EACH + number), AT)
                for n in range(1, count + 1)
                for number in KEPT
                if _went_live(n, number)
            ),
        )
        db.executemany(
            f"""INSERT INTO deployments (id, number, project_id, environment_id, status, source, bundle, size, files,
            steps, created_by, created_at, started_at, finished_at, release) VALUES ({",".join("?" * 15)})""",
            (_deployment(n, number) for number in range(1, EACH + 1) for n in range(1, count + 1)),
        )
        db.executemany(
            """INSERT INTO urls (host, environment_id, status, nginx, dns, created_at, created_by)
            VALUES (?, ?, 'active', '["ok", "In force", ""]', '["none", "Not managed", ""]', ?, 'owner')""",
            ((f"www{n}.example.com", n * 2, AT) for n in range(1, count + 1)),
        )
        db.executemany(
            """INSERT INTO activity (at, actor, actor_kind, verb, subject, project, environment, door, data)
            VALUES (?, 'owner', 'person', 'deployment.create', ?, ?, 'production', 'api', '{}')""",
            ((AT, f"#{number}", _name(n)) for number in range(1, EACH + 1) for n in range(1, count + 1)),
        )


def _environments(n: int) -> Iterator[tuple[object, ...]]:
    yield n * 2, n, "production", "builtin", AT, _id(n, EACH)
    yield n * 2 + 1, n, "staging", "builtin", AT, None


def _deployment(n: int, number: int) -> tuple[object, ...]:
    steps = json.dumps([[name, "succeeded", AT, AT, ""] for name in ("upload", "unpack", "inspect", "publish")])
    status = "succeeded" if _went_live(n, number) else "failed"
    bundle = _sha((n - 1) * EACH + number)
    release = bundle if status == "succeeded" else None
    return _id(n, number), number, n, n * 2, status, "upload", bundle, 1000, 3, steps, "owner", AT, AT, AT, release


def _name(n: int) -> str:
    return f"shop-{n}" if n in SHOPS else f"project-{n}"


def _went_live(n: int, number: int) -> bool:
    """One in ten failed: more than one page of them, also among few."""
    return (n + number) % 10 != 0 or number == EACH


def _id(n: int, number: int) -> str:
    return f"c{number:04}{n:015}"


def _sha(n: int) -> str:
    return f"{n:064x}"


def _side_by_side(small: Appliance, large: Appliance) -> Iterator[tuple[str, Door, Door, str]]:
    clients = [(_api(one), _browser(one)) for one in (small, large)]
    (few_api, few_pages), (many_api, many_pages) = clients
    for path in API:
        yield f"GET /api/v1{path}", few_api, many_api, f"/api/v1{_with_values(path)}"
    for path in PLAIN:
        yield f"GET {path}", few_api, many_api, path
    for path in PAGES:
        yield f"page {path}", few_pages, many_pages, _with_values(path)


def _with_values(path: str) -> str:
    return path.replace("{deployment}", _id(50, EACH)).replace("{bundle}", _sha(500))


def _api(ours: Appliance) -> Door:
    client = httpx.Client(base_url=ours.url, headers={"Authorization": f"Bearer {ours.key}"}, timeout=60)
    return Door(client, ours.data / "homeport.db")


def _browser(ours: Appliance) -> Door:
    client = httpx.Client(base_url=ours.url, timeout=60)
    said = client.post("/login", data={"email": EMAIL, "password": PASSWORD}, headers={"Origin": ours.url})
    assert said.status_code == 303, said.text
    return Door(client, ours.data / "homeport.db")


def _row(what: str, few: Door, many: Door, path: str, *, rounds: int) -> Row:
    pairs = list(islice(_turns(few, many, path), rounds))
    mine, theirs = (statistics.median(series) for series in zip(*pairs, strict=True))
    return Row(what, f"{mine * 1000:.1f} ms", f"{theirs * 1000:.1f} ms", f"{mine / theirs:.2f}", f"{GOAL}")


def _turns(few: Door, many: Door, path: str) -> Iterator[tuple[float, float]]:
    for client in (few, many):
        _time(client, path)
    while True:
        yield _time(many, path), _time(few, path)


def _time(client: Door, path: str) -> float:
    """Someone has just written something, so that no answer is one that was remembered."""
    with closing(sqlite3.connect(client.database)) as db, db:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('bench', ?)", [str(time.perf_counter())])
    began = time.perf_counter()
    answer = client.http.get(path)
    took = time.perf_counter() - began
    assert answer.status_code in (200, 404), f"{path} {answer.status_code} {answer.text[:300]}"
    return took
