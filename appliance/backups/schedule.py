"""Backups that are taken by themselves."""

from datetime import datetime, timedelta

from appliance.access.actor import HOMEPORT
from appliance.backups.create import create_backup
from appliance.backups.write import sweep
from appliance.context import Context
from appliance.machine import clock
from appliance.model.backups import last_due, next_due
from appliance.store import backups

PATIENCE = timedelta(hours=1)  # before one that failed is tried again


def look(ctx: Context) -> None:
    """Take a backup where one is due: since the hour that it was due at, none has been taken."""
    sweep(ctx.data)
    due = _due(ctx)
    if due is not None and due <= ctx.now() and not backups.under_way(ctx.db.read()):
        create_backup(ctx, HOMEPORT)


def next_time(ctx: Context) -> datetime | None:
    """When the next one is taken, if nobody asks for one before; None where they are off."""
    return _due(ctx)


def _due(ctx: Context) -> datetime | None:
    settings, now = ctx.settings, ctx.now()
    if settings.backup_every == "off":
        return None
    last = last_due(now, settings.backup_every, settings.backup_hour)
    since = [one for one in backups.everyone(ctx.db.read()) if one.created_at >= clock.text(last)]
    if any(one.status != "failed" for one in since):
        return next_due(now, settings.backup_every, settings.backup_hour)
    return max(last, clock.parse(since[0].created_at) + PATIENCE) if since else last
