"""The clock: sane, not behind what it wrote before, and kept right by something."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.errors import HostFailed
from appliance.machine import clock, process
from appliance.model.checks import Check

EARLIEST, LATEST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
SLACK = timedelta(minutes=2)
WRITTEN = ("homeport.db", "homeport.db-wal", "secret.key", "bundles", "releases", "sites")
MEND = "Set the clock, and keep it right: `timedatectl set-ntp true`."


def checks(data: Path, newest: datetime | None, now: datetime | None = None) -> list[Check]:
    """Sessions, keys, set-up links and certificates all go by this clock."""
    now = now or clock.now()
    if not EARLIEST <= now < LATEST:
        return [Check("clock", "failed", f"The clock says {clock.text(now)}, which can't be right.", MEND)]
    last = max((moment for moment in (newest, last_write(data)) if moment), default=None)
    if last and last > now + SLACK:
        text = (
            f"The clock says {clock.text(now)}, but something here was written at {clock.text(last)}: it has gone back."
        )
        return [Check("clock", "failed", text, MEND)]
    return [Check("clock", "ok", f"The clock is right as far as can be told: {now:%-d %b %Y, %H:%M} UTC.")]


def last_write(data: Path) -> datetime | None:
    """When a file that Homeport keeps was last written."""
    times = [(data / name).stat().st_mtime for name in WRITTEN if (data / name).exists()]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def sync() -> list[Check]:
    """Whether something keeps the clock right; not every host has systemd to say so."""
    try:
        ran = process.run(("timedatectl", "show", "--property=NTPSynchronized", "--value"), timeout=1.5)
    except HostFailed:
        return [_cannot_tell()]
    if not ran.ok:
        return [_cannot_tell()]
    if ran.output.strip() == "yes":
        return [Check("clock.sync", "ok", "The clock is kept right over the network.")]
    return [Check("clock.sync", "warn", "Nothing keeps the clock right.", "`timedatectl set-ntp true`.")]


def _cannot_tell() -> Check:
    return Check("clock.sync", "off", "This host doesn't say whether something keeps its clock right.")
