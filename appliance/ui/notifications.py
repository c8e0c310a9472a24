"""Settings, notifications: channels, what they are sent, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from appliance.access.permissions import may
from appliance.context import Context
from appliance.errors import HomeportError
from appliance.model.channels import KINDS, Channel, ChannelPatch, Delivery, NewChannel
from appliance.model.checks import Check
from appliance.model.notices import EVENTS, USUAL, Notice
from appliance.notify import channels, deliver
from appliance.store import channels as stored
from appliance.store import deliveries
from appliance.ui.forms import Wrong, again, do, typed
from appliance.ui.settings import Tested
from appliance.web.page import Form, go, render
from appliance.web.routes import actor_of, ctx_of

HERE = "/settings/notifications"
FIELDS = ("kind", "name", "to", "token", "events", "projects")
BOX = "event."  # what the names of the boxes begin with
SHOWN = 25
MOST_FAILED = 10
SAYS = {"ok": "It arrived.", "failed": "It did not arrive."}


@dataclass(frozen=True)
class Row:
    """A delivery as lists show it."""

    delivery: Delivery
    title: str
    answer: str


def index(request: Request) -> Response:
    return _show(request, _blank())


async def create(request: Request) -> Response:
    """On to its own page; a webhook's is the answer itself, since its key is shown this once."""
    ctx, raw = ctx_of(request), await typed(request)
    try:
        new = NewChannel.parse(_wanted(raw))
        made = await do(partial(channels.create_channel, ctx, actor_of(request), new))
    except Wrong as why:
        return await do(partial(_show, request, _again(raw, why), why.status))
    if made.key:
        return await do(partial(_show_one, request, made.channel, code=201, key=made.key))
    return go(f"{HERE}/{made.channel.id}", done="channel-made")


def one(request: Request) -> Response:
    return _show_one(request, _asked(request))


async def change(request: Request) -> Response:
    ctx, raw, channel = ctx_of(request), await typed(request), _asked(request)
    try:
        patch = ChannelPatch.parse(_wanted(raw), channel.kind)
        await do(partial(channels.change_channel, ctx, actor_of(request), channel.id, patch))
    except Wrong as why:
        return await do(partial(_show_one, request, channel, form=_again(raw, why), code=why.status))
    return go(f"{HERE}/{channel.id}", done="saved")


async def test(request: Request) -> Response:
    """As it is saved."""
    ctx, raw, channel = ctx_of(request), await typed(request), _asked(request)
    began = monotonic()
    done = await do(partial(deliver.try_out, ctx, actor_of(request), channel.id))
    row = await do(partial(_row, ctx, done))
    check = Check("channel", "ok" if done.status == "succeeded" else "failed", row.answer or "It was taken.")
    tested = Tested((check,), monotonic() - began, SAYS)
    form = Form({**raw, "to": "", "token": ""}, fields=FIELDS)
    return await do(partial(_show_one, request, channel, form=form, tested=tested))


def key_form(request: Request) -> Response:
    channel = _asked(request)
    back = f"{HERE}/{channel.id}"
    return render(request, "settings/exchange-key.html", one=channel, action=f"{back}/key", back=back)


async def exchange_key(request: Request) -> Response:
    """Answers with the page itself: the key is shown this once."""
    ctx, channel = ctx_of(request), _asked(request)
    made = await do(partial(channels.exchange_key, ctx, actor_of(request), channel.id))
    return await do(partial(_show_one, request, made.channel, code=201, key=made.key))


def remove_form(request: Request) -> Response:
    channel = _asked(request)
    waiting = deliveries.counts(ctx_of(request).db.read(), channel.id).get("queued", 0)
    action = f"{HERE}/{channel.id}/remove"
    return render(request, "settings/remove-channel.html", one=channel, waiting=waiting, action=action, back=HERE)


async def remove(request: Request) -> Response:
    await do(partial(channels.delete_channel, ctx_of(request), actor_of(request), request.path_params["channel"]))
    return go(HERE, done="channel-removed")


def delivery(request: Request) -> Response:
    ctx = ctx_of(request)
    found = deliver.find_delivery(ctx, request.path_params["delivery"])
    notice = Notice.of(found.notice)
    return render(
        request,
        "settings/delivery.html",
        one=found,
        told=notice,
        attempts=deliveries.attempts(ctx.db.read(), found.id),
        allowed=may(actor_of(request), channels.ALLOWED),
    )


async def redeliver(request: Request) -> Response:
    ctx = ctx_of(request)
    done = await do(partial(deliver.redeliver, ctx, actor_of(request), request.path_params["delivery"]))
    return go(f"/settings/deliveries/{done.id}", done="sent-again")


def _asked(request: Request) -> Channel:
    return channels.find_channel(ctx_of(request), request.path_params["channel"])


def _wanted(raw: Mapping[str, str]) -> dict[str, object]:
    """As the API takes it: one list of events, one of projects."""
    plain: dict[str, object] = {name: value for name, value in raw.items() if not name.startswith(BOX)}
    events = [name.removeprefix(BOX) for name in raw if name.startswith(BOX)]
    return {**plain, "events": events, "projects": str(plain.get("projects", "")).replace(",", " ").split()}


def _blank() -> Form:
    return Form({"events": USUAL}, fields=FIELDS)


def _again(raw: dict[str, str], why: HomeportError) -> Form:
    """What opens a door is not sent back to the page."""
    known = {name: value for name, value in raw.items() if name != "to" or "://" not in value}
    form = again(known, why, fields=FIELDS, about="name")
    return Form({**form.raw, "events": _wanted(raw)["events"]}, form.errors, FIELDS)


def _as_saved(channel: Channel) -> Form:
    values = {"name": channel.name, "events": channel.events, "projects": " ".join(channel.projects)}
    return Form({**values, "to": channel.address if channel.kind == "email" else ""}, fields=FIELDS)


def _show(request: Request, form: Form, code: int = 200) -> Response:
    ctx = ctx_of(request)
    db = ctx.db.read()
    listed = []
    for channel in stored.everyone(db):
        last = deliveries.newest(db, channel_id=channel.id, limit=1).items
        listed.append((channel, last[0] if last else None))
    failed = deliveries.newest(db, status="failed", limit=MOST_FAILED).items
    return render(
        request,
        "settings/notifications.html",
        code,
        form=form,
        listed=listed,
        failed=[_row(ctx, one) for one in failed],
        kinds=KINDS,
        events=EVENTS,
        allowed=may(actor_of(request), channels.ALLOWED),
    )


def _show_one(
    request: Request,
    channel: Channel,
    *,
    form: Form | None = None,
    code: int = 200,
    tested: Tested | None = None,
    key: str = "",
) -> Response:
    ctx = ctx_of(request)
    event = request.query_params.get("event", "")
    event = event if event in EVENTS else next(iter(channel.events), USUAL[0])
    page = deliveries.newest(
        ctx.db.read(), channel_id=channel.id, cursor=request.query_params.get("cursor") or None, limit=SHOWN
    )
    return render(
        request,
        "settings/channel.html",
        code,
        one=channel,
        form=form or _as_saved(channel),
        tested=tested,
        key=key,
        kinds=KINDS,
        events=EVENTS,
        event=event,
        preview=channels.preview(ctx, channel, event),
        rows=[_row(ctx, one) for one in page.items],
        older=f"{HERE}/{channel.id}?cursor={page.next}" if page.next else "",
        newer=f"{HERE}/{channel.id}" if request.query_params.get("cursor") else "",
        token_set="token" in channels.secrets_set(ctx, channel),
        allowed=may(actor_of(request), channels.ALLOWED),
    )


def _row(ctx: Context, one: Delivery) -> Row:
    tried = deliveries.attempts(ctx.db.read(), one.id)
    words = " ".join(str(part) for part in (tried[0].status, tried[0].said) if part) if tried else ""
    return Row(one, Notice.of(one.notice).title, words)
