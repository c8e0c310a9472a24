"""Whether there is a backup to go back to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from appliance.doctor.backups import checks
from appliance.machine import clock
from appliance.model.backups import Backup

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
GOOD = Backup("1", "/mnt", "a.tar", "succeeded", 1, "x", None, clock.text(NOW), None, "Homeport")
BAD = replace(GOOD, status="failed", error="There is no folder /mnt.")


def test_what_is_said_of_backups() -> None:
    for every, those, status, words in (
        ("off", (), "off", "by itself"),
        ("off", (GOOD,), "off", "by itself"),
        ("off", (BAD, GOOD), "failed", "no folder"),
        ("daily", (), "off", "first"),
        ("daily", (GOOD, BAD), "ok", "/mnt"),
        ("daily", (BAD, GOOD), "failed", "no folder"),
        ("daily", (replace(GOOD, status="running"), BAD), "failed", "no folder"),
    ):
        (found,) = checks(every, those, NOW)
        assert (found.status, words in f"{found.text} {found.mend}") == (status, True), (every, those)
    for days, every, status in ((1, "daily", "ok"), (3, "daily", "warn"), (3, "weekly", "ok"), (10, "weekly", "warn")):
        (found,) = checks(every, (GOOD,), NOW + timedelta(days=days))
        assert found.status == status
