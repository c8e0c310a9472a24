"""What is looked after now and then, in a thread of its own: one thing after the other, none able to stop the rest."""

import logging
from collections.abc import Callable
from time import monotonic

from appliance import process_log
from appliance.access import chain, forward
from appliance.access.people import invite
from appliance.backups import schedule
from appliance.context import Context
from appliance.deploy import approvals, earlier, reach, releases, retention, tidy, uploads
from appliance.notify import deliver
from appliance.projects import certificate_files, certificate_jobs, domain, edits

HOUR = 3600.0
Chore = Callable[[Context], None]
CHORES: dict[str, tuple[float, Chore]] = {
    "note how far activity goes": (60.0, chain.note),
    "send activity to syslog": (5.0, forward.send),
    "forget what is old": (HOUR, tidy.forget_old),
    "forget old lines of the process log": (HOUR, process_log.forget_old),
    "forget files of earlier releases": (HOUR / 4, earlier.forget_old),
    "clean up": (HOUR, retention.by_itself),
    "see which releases are needed": (HOUR / 12, releases.settle_doubts),
    "take a backup that is due": (60.0, schedule.look),
    "see to the domain of deployments": (HOUR / 12, domain.look),
    "renew certificates": (60.0, certificate_jobs.look),
    "miss files of certificates": (HOUR / 12, certificate_jobs.miss),
    "forget files of certificates": (HOUR, certificate_files.tidy),
    "look for edits by hand": (HOUR / 12, edits.look),
    "end requests that nobody answered": (60.0, approvals.expire),
    "forget who sent what": (HOUR / 4, reach.forget_sent),
    "forget invitations that ended": (HOUR, invite.forget_ended),
    "forget deliveries of notifications": (HOUR, deliver.forget_old),
    "forget unfinished uploads": (HOUR / 4, uploads.forget_expired),
}
logger = logging.getLogger("homeport.timers")


def keep_looking(ctx: Context, chores: dict[str, tuple[float, Chore]] = CHORES) -> None:
    """Until the process ends. The first look at each comes when its time has passed once: a start does its own."""
    due = {name: monotonic() + every for name, (every, _) in chores.items()}
    while not ctx.stopping.is_set():
        name = min(due, key=lambda one: due[one])
        if ctx.stopping.wait(max(0.0, due[name] - monotonic())):
            return
        every, chore = chores[name]
        try:
            chore(ctx)
        except Exception:
            logger.exception("“%s” will be tried again", name)
        due[name] = monotonic() + every
