"""Whether there is a backup to go back to."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from appliance.machine import clock
from appliance.model.backups import Backup
from appliance.model.checks import Check

OLD = {"daily": timedelta(days=2), "weekly": timedelta(days=9)}
PAGE = "Settings, Backups"


def checks(every: str, those: Sequence[Backup], now: datetime | None = None) -> list[Check]:
    """`those` are the newest first."""
    ended = [one for one in those if one.over]
    if ended and ended[0].status == "failed":
        text = f"The last backup, of {ended[0].created_at[:16]}, failed: {ended[0].error}"
        return [Check("backups", "failed", text, f"{PAGE} has “Test this place” and “Back up now”.")]
    if every == "off":
        mend = f"{PAGE}: choose how often. `homeport backup FILE` takes one at any time."
        return [Check("backups", "off", "No backup is taken by itself.", mend)]
    if not ended:
        return [Check("backups", "off", "The first backup is taken within a minute of the start.")]
    newest = ended[0].created_at
    if (now or clock.now()) - clock.parse(newest) > OLD[every]:
        return [
            Check("backups", "warn", f"The last backup is of {newest[:16]}.", f"See {PAGE} for why none came since.")
        ]
    return [Check("backups", "ok", f"The last backup is of {newest[:16]}, in {ended[0].place}.")]
