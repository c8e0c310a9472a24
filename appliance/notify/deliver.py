"""Carrying what is in the outbox to its channels: a job for each, tried for about a day, with every try on record."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from time import monotonic

from appliance.access import mail, outbox
from appliance.access.actor import HOMEPORT, Actor
from appliance.access.address import own_address
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, HomeportError, NotFound, RemoteFailed
from appliance.events import JobAdded
from appliance.machine import clock, outgoing, smtp
from appliance.machine.http import Answer
from appliance.machine.redacting import Redactor
from appliance.model.channels import Attempt, Channel, Delivery
from appliance.model.notices import TEST, Notice
from appliance.notify.channels import ALLOWED, find_channel, opened
from appliance.notify.forms import FORMS, signed
from appliance.notify.said import line, said
from appliance.process_log import TOLD, tell
from appliance.store import channels, deliveries, jobs

WAITS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=20),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
)
LONGEST_HOLD = timedelta(minutes=1)  # for which one that failed keeps the others of its channel waiting
LONGEST_WISH = timedelta(hours=12)  # of the other side
KEPT = timedelta(days=30)
AT_ONCE = 20
MOST_SAID = 300  # characters of an answer that are kept
PASSING = frozenset({408, 409, 425, 429})
AREA = "notifications"
AFTERWARDS = ("See to what it says, then send it again: Settings, Notifications.",)
logger = logging.getLogger("homeport.notify")


@dataclass(frozen=True)
class _Outcome:
    """How one try went."""

    attempt: Attempt
    permanent: bool = False
    wait: timedelta = timedelta()


def deliver(ctx: Context, channel_id: str, _: int) -> None:
    """The job of a channel: all that is due, in order, until one does not arrive."""
    channel = channels.find(ctx.db.read(), channel_id)
    if channel is None:
        return
    for one in deliveries.due(ctx.db.read(), channel_id, ctx.moment(), AT_ONCE):
        if ctx.stopping.is_set() or not _carry(ctx, channel, one):
            break
    with ctx.write() as db:
        following = deliveries.next_at(db, channel_id)
        if following and not jobs.queued(db, outbox.KIND, channel_id):
            jobs.add(db, outbox.KIND, channel_id, queue=f"channel:{channel_id}", at=following)


def end_in_fault(ctx: Context, channel_id: str) -> None:
    """A fault of ours: what it was at is given up, so that the rest goes on."""
    for one in deliveries.due(ctx.db.read(), channel_id, ctx.moment(), 1):
        said_ = "Homeport has a fault: its log says where."
        _note(ctx, one, _Outcome(Attempt(ctx.moment(), 0.0, False, None, said_), permanent=True))
    with ctx.write() as db:
        if deliveries.next_at(db, channel_id):
            outbox.wake(ctx, db, channel_id)


def try_out(ctx: Context, actor: Actor, channel_id: str) -> Delivery:
    """A test, sent now and once."""
    need(actor, ALLOWED)
    channel = find_channel(ctx, channel_id)
    notice = Notice(TEST, ctx.moment(), channel.name, None, None, None, actor.name)
    at = ctx.moment()
    one = Delivery(clock.new_id(), channel.id, channel.name, TEST, notice.text, "queued", 0, at, None, None)
    outcome = _try(ctx, channel, one)
    with ctx.write() as db:
        deliveries.add(db, one.id, channel.id, notice, at)
        deliveries.add_attempt(db, one.id, outcome.attempt)
        deliveries.end(db, one.id, "succeeded" if outcome.attempt.succeeded else "failed", ctx.moment())
        record(ctx, db, actor, "notification.test", channel.name, arrived=outcome.attempt.succeeded)
    return find_delivery(ctx, one.id)


def redeliver(ctx: Context, actor: Actor, delivery_id: str) -> Delivery:
    """The same again, under the same id; one that waits for its next try has it now."""
    need(actor, ALLOWED)
    with ctx.write(JobAdded()) as db:
        one = deliveries.find(db, delivery_id)
        if one is None:
            raise _none()
        deliveries.again(db, one.id, ctx.moment())
        outbox.wake(ctx, db, one.channel_id)
        record(ctx, db, actor, "notification.redeliver", one.channel, about=one.event)
    return find_delivery(ctx, delivery_id)


def find_delivery(ctx: Context, delivery_id: str) -> Delivery:
    found = deliveries.find(ctx.db.read(), delivery_id)
    if found is None:
        raise _none()
    return found


def forget_old(ctx: Context) -> None:
    with ctx.write() as db:
        deliveries.forget(db, clock.text(ctx.now() - KEPT))


def _none() -> NotFound:
    return NotFound("There is no such delivery; they are kept for 30 days.", code="no_delivery")


def _carry(ctx: Context, channel: Channel, one: Delivery) -> bool:
    """False where the others had better wait."""
    outcome = _try(ctx, channel, one)
    _note(ctx, one, outcome)
    return outcome.attempt.succeeded or outcome.permanent


def _note(ctx: Context, one: Delivery, outcome: _Outcome) -> None:
    """What came of it: over, or tried again, or given up and on record."""
    lost = outcome.permanent or one.tries >= len(WAITS)
    with ctx.write() as db:
        if deliveries.find(db, one.id) is None:
            return  # its channel was removed meanwhile
        deliveries.add_attempt(db, one.id, outcome.attempt)
        if outcome.attempt.succeeded:
            deliveries.end(db, one.id, "succeeded", ctx.moment())
        elif lost:
            deliveries.end(db, one.id, "failed", ctx.moment())
            record(ctx, db, HOMEPORT, "notification.failed", one.channel, about=one.event, why=_why(outcome))
        else:
            wait = max(WAITS[one.tries], outcome.wait)
            deliveries.later(db, one.id, clock.text(ctx.now() + wait))
            deliveries.hold(db, one.channel_id, clock.text(ctx.now() + max(min(wait, LONGEST_HOLD), outcome.wait)))

    _tell(ctx, one, outcome, lost=lost)


def _tell(ctx: Context, one: Delivery, outcome: _Outcome, *, lost: bool) -> None:
    what = f"“{line(Notice.of(one.notice).title, MOST_SAID)}”"
    if outcome.attempt.succeeded:
        tell(ctx, AREA, f"{what} reached {one.channel}.", subject=one.channel)
    elif lost:
        text = f"{what} to {one.channel} was given up: {_why(outcome)}"
        logger.warning("%s", text, extra=TOLD)
        tell(ctx, AREA, text, level="error", subject=one.channel, todo=AFTERWARDS)
    else:
        text = f"{what} did not reach {one.channel}, and is tried again: {_why(outcome)}"
        tell(ctx, AREA, text, level="warn", subject=one.channel)


def _why(outcome: _Outcome) -> str:
    status = f"it answered {outcome.attempt.status}. " if outcome.attempt.status else ""
    return f"{status}{outcome.attempt.said}".strip()


def _try(ctx: Context, channel: Channel, one: Delivery) -> _Outcome:
    """Sent once. Whatever goes wrong is an outcome."""
    at, began, secret = ctx.moment(), monotonic(), opened(ctx, channel)
    try:
        answer = _send(ctx, channel, one, secret)
    except HomeportError as why:
        words = " ".join(part for part in (why.detail, why.said, *why.todo) if part).replace("`", "")
        passing = isinstance(why, RemoteFailed) and not why.permanent
        attempt = Attempt(at, monotonic() - began, False, None, line(ctx.redact(words), 2 * MOST_SAID))
        return _Outcome(attempt, permanent=not passing)
    took = monotonic() - began
    if answer is None:
        return _Outcome(Attempt(at, took, True, None, "The mail server took it."))
    good = 200 <= answer.status < 300
    words = line(_bare(ctx, secret, answer.body.decode("utf-8", "replace")), MOST_SAID)
    attempt = Attempt(at, took, good, answer.status, words)
    return _Outcome(attempt, permanent=not good and not _may_pass(answer.status), wait=_wished(ctx, answer))


def _bare(ctx: Context, secret: Mapping[str, str], text: str) -> str:
    """An answer without what opens the door, also where it quotes a part of it."""
    parts = re.split("[/?&=]", secret.get("path", ""))
    return Redactor(parts)(ctx.redact(text))


def _send(ctx: Context, channel: Channel, one: Delivery, secret: Mapping[str, str]) -> Answer | None:
    words = said(one.id, Notice.of(one.notice), own_address(ctx))
    form = FORMS[channel.kind](words, f"/{secret.get('path', '')}", secret.get("token", ""))
    if channel.kind == "email":
        message = smtp.Message(channel.address, f"[Homeport] {words.title}", form.body.decode())
        smtp.send(mail.server(ctx.settings), message)
        return None
    if not all(secret.values()):
        raise Conflict(
            "What is secret of this channel can't be read with this host's key.",
            code="unreadable",
            todo=("Enter its address again; of a webhook, make another key.",),
        )
    if channel.kind == "webhook":
        form = signed(form, one.id, int(ctx.now().timestamp()), secret.get("key", ""))
    allowed = outgoing.Allowed.of(ctx.settings.outgoing_allow)
    return outgoing.send(f"{channel.address}{form.path}", form.headers, form.body, allowed)


def _may_pass(status: int) -> bool:
    return status >= 500 or status in PASSING


def _wished(ctx: Context, answer: Answer) -> timedelta:
    """`Retry-After`, in seconds or as a date, within reason."""
    text = answer.headers.get("retry-after", "").strip()
    try:
        wish = timedelta(seconds=float(text)) if text[:1].isdigit() else parsedate_to_datetime(text) - ctx.now()
    except (ValueError, TypeError, OverflowError):
        return timedelta()
    return min(max(wish, timedelta()), LONGEST_WISH)
