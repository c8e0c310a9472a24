from pathlib import Path

import pytest

from appliance.app import open_context
from appliance.doctor.here import examine_here, examine_host
from appliance.model.checks import Check
from appliance.settings import Settings
from appliance.store import saved


def named(checks: list[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", port=0, backend="builtin")


def test_a_host_where_nothing_is_yet_stays_that_way(settings: Settings) -> None:
    assert named(examine_host(settings), "data.folder").status == "warn"
    assert not settings.data.exists()


def test_what_was_saved_counts(settings: Settings) -> None:
    ctx = open_context(settings)
    with ctx.write() as db:
        saved.save(db, "url", "http://deploy.invalid", ctx.moment(), "owner@example.com")
    assert "deploy.invalid" in named(examine_here(ctx), "url").text
    ctx.db.close()
    before = {path: path.stat().st_mtime_ns for path in settings.data.rglob("*") if path.is_file()}
    found = examine_host(settings)
    assert "deploy.invalid" in named(found, "url").text
    assert named(found, "secret.key").status == "ok"
    assert {path: path.stat().st_mtime_ns for path in settings.data.rglob("*") if path.is_file()} == before


def test_what_keeps_it_from_starting_is_named(settings: Settings) -> None:
    open_context(settings).db.close()
    (settings.data / "secret.key").unlink()
    assert named(examine_host(settings), "secret.key").status == "failed"
    (settings.data / "homeport.db").write_bytes(b"no database" * 100)
    found = examine_host(settings)
    assert named(found, "database").status == "failed"
    assert named(found, "disk.bytes").status in ("ok", "warn")
