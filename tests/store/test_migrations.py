"""A newer database is left alone; an older one is copied, then brought up to date."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database as Tools

from appliance.app import open_context
from appliance.errors import StartFailed
from appliance.settings import Settings
from appliance.store import migrations as known
from appliance.store import projects
from tests.appliance import ROOT, Appliance


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that was in use."""
    ctx = open_context(Settings(data=tmp_path / "data"))
    with ctx.db.write() as db:
        projects.add(db, "kept", ctx.moment(), "me")
    ctx.db.close()
    return tmp_path / "data"


def sql(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def backups(data: Path) -> list[Path]:
    return sorted((data / "backups").iterdir())


def test_a_newer_database_is_refused_and_left_as_it_is(data: Path) -> None:
    path = data / "homeport.db"
    sql(path, "INSERT INTO _sqlite_migrations VALUES (999, 'homeport', 'm999_from_the_future', '2999-01-01')")
    before = path.read_bytes()
    with pytest.raises(StartFailed) as why:
        open_context(Settings(data=data))
    assert "newer Homeport (m999_from_the_future)" in why.value.detail and str(path) in why.value.detail
    assert why.value.todo[0] == "Run the newer file again."
    assert path.read_bytes() == before and backups(data) == []


def test_serve_says_so_in_words_and_ends(data: Path) -> None:
    sql(data / "homeport.db", "INSERT INTO _sqlite_migrations VALUES (999, 'homeport', 'm999_x', '2999-01-01')")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HOMEPORT_")}
    command = [sys.executable, "-m", "appliance", "serve", "--data", str(data), "--port", "0"]
    ran = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "newer Homeport" in ran.stderr and "Run the newer file again." in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_copy_is_set_aside_before_a_migration(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = known.Migrations("homeport")
    migrations._migrations = list(known.migrations._migrations)

    @migrations()
    def m999_next(db: Tools) -> None:
        db.execute("ALTER TABLE projects ADD COLUMN colour TEXT")

    monkeypatch.setattr("appliance.store.db.migrations", migrations)
    ctx = open_context(Settings(data=data))
    assert projects.find(ctx.db.read(), "kept") is not None
    ctx.db.close()
    (copy,) = backups(data)
    assert copy.stat().st_mode & 0o077 == 0
    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT name FROM projects").fetchall() == [("kept",)]
        assert "colour" not in [column[1] for column in db.execute("PRAGMA table_info(projects)")]
    db.close()
    open_context(Settings(data=data)).db.close()
    assert backups(data) == [copy], "nothing was pending, so nothing was set aside"


def test_a_migration_that_fails_leaves_the_database_as_it_was(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = known.Migrations("homeport")
    migrations._migrations = list(known.migrations._migrations)

    @migrations()
    def m999_half(db: Tools) -> None:
        db.execute("ALTER TABLE projects ADD COLUMN colour TEXT")
        db.execute("INSERT INTO nothing VALUES (1)")

    with monkeypatch.context() as newer:
        newer.setattr("appliance.store.db.migrations", migrations)
        with pytest.raises(sqlite3.OperationalError):
            open_context(Settings(data=data))
    ctx = open_context(Settings(data=data))
    assert projects.find(ctx.db.read(), "kept") is not None
    assert "colour" not in [column[1] for column in ctx.db.read().execute("PRAGMA table_info(projects)")]
    ctx.db.close()


def test_a_fresh_one_sets_nothing_aside(tmp_path: Path) -> None:
    open_context(Settings(data=tmp_path / "data")).db.close()
    assert backups(tmp_path / "data") == []


@pytest.mark.parametrize(
    "content", [b"not a database at all, but a letter to a friend" * 50, b"SQLite format 3\0" + bytes(50)]
)
def test_what_is_no_database_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    open_context(Settings(data=tmp_path / "data")).db.close()
    (tmp_path / "data" / "homeport.db").write_bytes(content)
    with pytest.raises(StartFailed) as why:
        open_context(Settings(data=tmp_path / "data"))
    assert "can't be opened" in why.value.detail


def test_what_was_saved_by_one_process_counts_in_another(server: Appliance) -> None:
    """`homeport user add` while the server runs: the new person can sign in at once."""
    command = [sys.executable, "-m", "appliance", "user", "add", "second@example.com", "--data", str(server.data)]
    ran = subprocess.run(
        command, cwd=ROOT, input="another long password\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    credentials = {"email": "second@example.com", "password": "another long password"}
    assert server.http.post(f"{server.url}/api/v1/login", json=credentials).status_code == 201
    newest = server.get("/activity?q=second@example.com")["items"]
    assert {"person.create", "session.begin"} <= {one["verb"] for one in newest}
