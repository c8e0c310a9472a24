"""What is to be told elsewhere, written down in the transaction of what it is about; jobs carry it there."""

from appliance.context import Context
from appliance.machine import clock
from appliance.model.notices import EVENTS, Notice
from appliance.store import channels, deliveries, jobs
from appliance.store.db import Connection

KIND = "notify"


def put(ctx: Context, db: Connection, notice: Notice) -> None:
    """One delivery for each channel that wants it. Nothing is sent here."""
    if notice.event not in EVENTS:
        return
    for channel_id in channels.wanting(db, notice.event, notice.project):
        deliveries.add(db, clock.new_id(), channel_id, notice, ctx.moment())
        wake(ctx, db, channel_id)


def wake(ctx: Context, db: Connection, channel_id: str) -> None:
    """A channel has one job, which comes to all that is due."""
    if jobs.queued(db, KIND, channel_id):
        jobs.due(db, KIND, channel_id, ctx.moment())
    else:
        jobs.add(db, KIND, channel_id, queue=f"channel:{channel_id}", at=ctx.moment())
