import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.doctor import clock

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_clock_that_is_right(tmp_path: Path) -> None:
    assert clock.checks(tmp_path, NOW - timedelta(seconds=5), NOW)[0].status == "ok"


def test_a_year_that_can_not_be(tmp_path: Path) -> None:
    found = clock.checks(tmp_path, None, datetime(1970, 1, 1, 0, 3, tzinfo=UTC))[0]
    assert (found.status, "1970-01-01" in found.text, bool(found.mend)) == ("failed", True, True)


def test_a_clock_that_went_back_shows_in_the_newest_row(tmp_path: Path) -> None:
    found = clock.checks(tmp_path, NOW + timedelta(hours=1), NOW)[0]
    assert found.status == "failed"
    assert "2026-11-20T13:00:00.000Z: it has gone back" in found.text


def test_a_clock_that_went_back_shows_in_the_files(tmp_path: Path) -> None:
    (tmp_path / "homeport.db").touch()
    later = (NOW + timedelta(days=2)).timestamp()
    os.utime(tmp_path / "homeport.db", (later, later))
    assert clock.checks(tmp_path, None, NOW)[0].status == "failed"


def test_a_moment_of_difference_is_none(tmp_path: Path) -> None:
    assert clock.checks(tmp_path, NOW + timedelta(seconds=30), NOW)[0].status == "ok"


def test_whether_it_is_kept_right_is_said_where_the_host_says_it() -> None:
    assert clock.sync()[0].status in ("ok", "warn", "off")
