"""Leaving for another file, and what became of it: noted, recorded, and said to whoever asked."""

import json
import os

from appliance import __version__
from appliance.access.actor import OPERATOR
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import HomeportError
from appliance.machine import clock, faults
from appliance.machine.files import refusals
from appliance.process_log import tell
from appliance.store import saved
from appliance.upgrade import handover
from appliance.upgrade import record as progress
from appliance.upgrade.control import Wanted
from appliance.upgrade.handover import Held
from appliance.upgrade.record import Underway
from appliance.upgrade.talk import Refused

META = "upgrade"
STOPPED = "Homeport was stopped in the middle of it."


def set_aside(ctx: Context, held: Held, wanted: Wanted) -> None:
    """The last that is done with the database: a copy, where its form is about to change. A failure keeps us here."""
    held.talk = wanted.talk
    copy = f"before-{wanted.to.version}-{clock.new_id()}.db" if wanted.to.changes else None
    try:
        with refusals():
            if copy:
                ctx.db.copy(ctx.data / "backups" / copy)
            ctx.db.close()
            faults.point("upgrade closed")
            progress.begin(ctx.data, Underway(__version__, wanted.to.version, copy))
            faults.point("upgrade begun")
    except HomeportError as why:
        held.reason = why.detail


def settle(ctx: Context, held: Held, underway: Underway | None) -> None:
    """Ready to answer: whatever upgrade there was is over, and what runs now is what goes on."""
    why = held.reason or (STOPPED if underway and underway.to != __version__ else "")
    why = f"{why.rstrip('.')}." if why else ""
    if underway:
        _note(ctx, underway, why)
        progress.end(ctx.data)
        faults.point("upgrade settled")
    handover.keep(held, os.environ)
    if held.talk:
        if why:
            held.talk.fail(Refused(f"The new file could not take over: {why} {__version__} goes on; nothing is lost."))
        else:
            held.talk.say(done=__version__)
        held.talk.close()
    held.talk, held.forward, held.reason = None, False, ""


def explain(why: HomeportError) -> None:
    """For the file that goes on in place of this one."""
    os.environ[handover.REASON] = why.detail


def _note(ctx: Context, underway: Underway, why: str) -> None:
    outcome = {"at": ctx.moment(), "was": underway.was, "to": underway.to, "why": why}
    with ctx.db.write() as db:
        saved.set_meta(db, META, json.dumps(outcome))
        if why:
            record(ctx, db, OPERATOR, "homeport.upgrade_failed", underway.to, was=underway.was, why=why)
        else:
            record(ctx, db, OPERATOR, "homeport.upgrade", underway.to, was=underway.was)
    if why:
        tell(ctx, "homeport", f"{underway.to} could not take over from {underway.was}: {why}", level="error")
    else:
        tell(ctx, "homeport", f"{underway.to} took over from {underway.was}.")
