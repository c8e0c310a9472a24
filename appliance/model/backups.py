"""A backup that Homeport took by itself, or when it was asked to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

SUNDAY = 6


@dataclass(frozen=True)
class Backup:
    id: str
    place: Annotated[str, "The folder or bucket that it is in"]
    name: Annotated[str, "What the file is called there"]
    status: Annotated[str, "`queued`, `running`, `succeeded` or `failed`"]
    size: Annotated[int | None, "Bytes; while it runs, those so far"]
    sha256: Annotated[str | None, "Of the whole file"]
    error: Annotated[str | None, "Why it failed, or what could not be put in"]
    created_at: str
    finished_at: str | None
    created_by: Annotated[str, "Who asked for it; Homeport, where it was time for one"]

    @property
    def over(self) -> bool:
        return self.status in ("succeeded", "failed")


def last_due(now: datetime, every: str, hour: int) -> datetime:
    """When a backup was last due."""
    due = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    if due > now:
        due -= timedelta(days=1)
    if every == "weekly":
        due -= timedelta(days=(due.weekday() - SUNDAY) % 7)
    return due


def next_due(now: datetime, every: str, hour: int) -> datetime:
    return last_due(now, every, hour) + timedelta(days=7 if every == "weekly" else 1)
