"""The checks of this host, with what the database knows."""

import sqlite3
from contextlib import closing

from appliance.backends import REGISTRY, load
from appliance.backends.base import Backend
from appliance.context import Context
from appliance.dns import provider
from appliance.doctor.examine import Around, examine
from appliance.errors import StartFailed
from appliance.machine import clock
from appliance.model.checks import Check
from appliance.settings import Settings
from appliance.store import activity, backups, domains, nginx_edits, saved, urls
from appliance.store.db import Connection, Database


def examine_here(ctx: Context) -> list[Check]:
    """For a running appliance."""
    return _examine(ctx.settings, ctx.instance, ctx.db.read())


def examine_host(settings: Settings) -> list[Check]:
    """For the command line, also where nothing starts any more: makes nothing, mends nothing, migrates nothing."""
    file = settings.data / "homeport.db"
    if not file.exists():
        return _without_rows(settings)
    try:
        with closing(Database(file)) as database:
            db = database.read()
            now = settings.with_saved(saved.values(db))
            if database.pending():
                mend = "`homeport serve` brings it up to date when it starts; a copy of it is set aside before."
                return [Check("database", "warn", f"{file} is of an older Homeport.", mend), *_without_rows(now)]
            return _examine(now, saved.meta(db, "instance") or "", db)
    except (StartFailed, sqlite3.Error) as why:
        mend = "Check that the file is whole and may be read, or restore a backup."
        return [Check("database", "failed", f"{file} can't be read: {why}.", mend), *_without_rows(settings)]


def _examine(settings: Settings, instance: str, db: Connection) -> list[Check]:
    newest = activity.newest(db, limit=1).items
    around = Around(
        backends=_backends(settings),
        provider=provider(settings, instance),
        hosts=tuple(url.host for url in urls.every(db)),
        newest=clock.parse(newest[0].at) if newest else None,
        upgrade=saved.meta(db, "upgrade"),
        edits=nginx_edits.everyone(db),
        backups=backups.everyone(db),
        domain=domains.find(db),
    )
    return examine(settings, around)


def _without_rows(settings: Settings) -> list[Check]:
    return examine(settings, Around(backends=_backends(settings), provider=provider(settings, "")))


def _backends(settings: Settings) -> tuple[Backend, ...]:
    return tuple(load(name, settings) for name in REGISTRY)
