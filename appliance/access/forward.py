"""Activity goes to syslog too, where one is set: from where the last time ended, so that nothing is left out."""

import json
import logging
import socket

from appliance.context import Context
from appliance.errors import HomeportError
from appliance.machine import syslog
from appliance.store import activity, saved

META = "syslog"
SOME = 200  # entries that are sent at once
logger = logging.getLogger("homeport.syslog")


def send(ctx: Context) -> None:
    """All that there is now. What can't be sent waits for the next time."""
    address = ctx.base.syslog
    if not address:
        return
    sent, failed = _known(ctx, address)
    last, _ = activity.head(ctx.db.read())
    host = socket.gethostname()
    while not ctx.stopping.is_set() and (some := activity.following(ctx.db.read(), sent, until=last, limit=SOME)):
        try:
            syslog.send(address, [syslog.message(one, host) for one in some])
        except HomeportError as why:
            if not failed:
                logger.warning("%s Activity waits until it can be.", why.detail)
                _note(ctx, address, sent, failed=True)
            return
        if failed:
            logger.info("The syslog server %s is there again.", address)
        sent, failed = some[-1].id, False
        _note(ctx, address, sent, failed=False)


def _known(ctx: Context, address: str) -> tuple[int, bool]:
    """Up to where it was sent to this address, and whether it could not be the last time; another begins anew."""
    raw = json.loads(saved.meta(ctx.db.read(), META) or "{}")
    return (int(raw["sent"]), bool(raw["failed"])) if raw.get("address") == address else (0, False)


def _note(ctx: Context, address: str, sent: int, *, failed: bool) -> None:
    with ctx.db.write(lasting=False) as db:
        saved.set_meta(db, META, json.dumps({"address": address, "sent": sent, "failed": failed}))
