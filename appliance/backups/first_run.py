"""A new host becomes the one that a backup was taken of: by the set-up link, instead of a first account."""

import threading
from functools import partial
from pathlib import Path

from appliance.access import setup
from appliance.backups.restore import Came, take_in
from appliance.context import Context
from appliance.errors import Conflict, NotFound
from appliance.store import people

_LOCK = threading.Lock()


def restore_here(ctx: Context, token: str, file: Path, *, passphrase: str, without_keys: bool) -> Came:
    """Checked whole first. Whoever hears that it is restored opens the new database in the place of this one."""
    setup.minutes_left(ctx, token)
    if not _LOCK.acquire(blocking=False):
        raise Conflict("A backup is being restored here already.", code="under_way", todo=("Wait until it has ended.",))
    try:
        with file.open("rb") as source:
            claim = partial(_claim, ctx)
            return take_in(source, ctx.data, passphrase=passphrase, without_keys=without_keys, claim=claim)
    finally:
        _LOCK.release()


def _claim(ctx: Context) -> None:
    """From here on nobody can set this host up in another way."""
    with ctx.db.write() as db:
        if people.anyone(db):
            raise NotFound("This host was set up meanwhile. Nothing was restored.", code="no_link")
        people.forget_setup_links(db)
    (ctx.data / "setup-link").unlink(missing_ok=True)
