"""Notifications: channels, and what was sent to them."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.answers import answer, body, nothing, one_of, page_asked, page_of
from appliance.context import Context
from appliance.model.channels import STATUSES, Attempt, Channel, ChannelPatch, Delivery, NewChannel
from appliance.model.notices import USUAL, Notice
from appliance.notify import channels, deliver
from appliance.store import channels as stored
from appliance.store import deliveries
from appliance.web.routes import actor_of, ctx_of, doc


@dataclass(frozen=True)
class ChannelShape:
    id: str
    kind: Annotated[str, "`email`, `slack`, `discord`, `teams`, `ntfy` or `webhook`"]
    name: str
    to: Annotated[str, "An e-mail address, or the beginning of the address; the rest of it is never shown"]
    token_set: Annotated[bool, "Whether it has a token; the token itself is never shown"]
    events: tuple[str, ...]
    projects: Annotated[tuple[str, ...], "Of which projects"]
    all_projects: Annotated[bool, "Whether it hears of every project"]
    created_at: str
    created_by: str


@dataclass(frozen=True)
class MadeChannelShape:
    id: str
    name: str
    key: Annotated[str, "What a webhook is signed with: told this once. Empty for the other kinds"]


@dataclass(frozen=True)
class DeliveryShape:
    id: Annotated[str, "Stays the same when it is sent again"]
    channel: Annotated[str, "The id of the channel"]
    channel_name: str
    event: str
    status: Annotated[str, "`queued`, `succeeded` or `failed`"]
    title: str
    notice: Notice
    tries: Annotated[int, "Since it was sent the first time, or sent again"]
    created_at: str
    next_at: Annotated[str | None, "When it is tried next"]
    ended_at: str | None
    attempts: Annotated[tuple[Attempt, ...], "Each try, the newest first"]


@dataclass(frozen=True)
class HeaderShape:
    name: str
    value: str


@dataclass(frozen=True)
class PreviewShape:
    to: str
    headers: tuple[HeaderShape, ...]
    body: Annotated[str, "Word for word"]


@doc("Channels that notifications go to", returns=ChannelShape, listing=True, whole=True)
async def listed(request: Request) -> Response:
    ctx = ctx_of(request)
    return page_of([_shape(ctx, one) for one in stored.everyone(ctx.db.read())], None)


@doc(
    "Add a channel; the key of a webhook is in the answer, and never again",
    body=NewChannel,
    returns=MadeChannelShape,
    status=201,
)
async def created(request: Request) -> Response:
    new = NewChannel.parse(await body(request))
    made = await run_in_threadpool(channels.create_channel, ctx_of(request), actor_of(request), new)
    return answer(MadeChannelShape(made.channel.id, made.channel.name, made.key), 201)


@doc("One channel", returns=ChannelShape)
async def shown(request: Request) -> Response:
    return answer(_shape(ctx_of(request), _asked(request)))


@doc("Change a channel", body=ChannelPatch, returns=ChannelShape)
async def changed(request: Request) -> Response:
    ctx, one = ctx_of(request), _asked(request)
    patch = ChannelPatch.parse(await body(request), one.kind)
    now = await run_in_threadpool(channels.change_channel, ctx, actor_of(request), one.id, patch)
    return answer(_shape(ctx, now))


@doc("Remove a channel, with all that waits for it and its history", status=204)
def removed(request: Request) -> Response:
    channels.delete_channel(ctx_of(request), actor_of(request), request.path_params["channel"])
    return nothing()


@doc("Another key for a webhook; the one before counts no more", returns=MadeChannelShape, status=201)
def key_exchanged(request: Request) -> Response:
    made = channels.exchange_key(ctx_of(request), actor_of(request), request.path_params["channel"])
    return answer(MadeChannelShape(made.channel.id, made.channel.name, made.key), 201)


@doc("Send a test to a channel now, and say how that went", returns=DeliveryShape)
async def tested(request: Request) -> Response:
    ctx = ctx_of(request)
    act = partial(deliver.try_out, ctx, actor_of(request), request.path_params["channel"])
    return answer(_delivery(ctx, await run_in_threadpool(act)))


@doc(
    "What a channel would be sent, word for word but for its secrets",
    returns=PreviewShape,
    query={"event": "For which event; `deployment.failed` when left out"},
)
def previewed(request: Request) -> Response:
    made = channels.preview(ctx_of(request), _asked(request), request.query_params.get("event") or USUAL[0])
    headers = tuple(HeaderShape(name, value) for name, value in made.headers.items())
    return answer(PreviewShape(made.to, headers, made.body))


@doc("What was sent to a channel, newest first; kept for 30 days", returns=DeliveryShape, listing=True)
async def of_channel(request: Request) -> Response:
    return _page(request, _asked(request).id)


WHICH = {"status": "Only `queued`, `succeeded` or `failed`: those that were given up"}


@doc("What was sent to all channels, newest first; kept for 30 days", returns=DeliveryShape, listing=True, query=WHICH)
async def everywhere(request: Request) -> Response:
    return _page(request, "")


@doc("One delivery, with each try", returns=DeliveryShape)
async def delivery_shown(request: Request) -> Response:
    ctx = ctx_of(request)
    return answer(_delivery(ctx, deliver.find_delivery(ctx, request.path_params["delivery"])))


@doc("Send it again, under the same id", returns=DeliveryShape, status=202)
def redelivered(request: Request) -> Response:
    ctx = ctx_of(request)
    return answer(_delivery(ctx, deliver.redeliver(ctx, actor_of(request), request.path_params["delivery"])), 202)


def _page(request: Request, channel_id: str) -> Response:
    ctx, (cursor, limit) = ctx_of(request), page_asked(request)
    status = one_of(request, "status", STATUSES)
    page = deliveries.newest(ctx.db.read(), channel_id=channel_id, status=status, cursor=cursor, limit=limit)
    return page_of([_delivery(ctx, one) for one in page.items], page.next)


def _asked(request: Request) -> Channel:
    return channels.find_channel(ctx_of(request), request.path_params["channel"])


def _shape(ctx: Context, one: Channel) -> ChannelShape:
    return ChannelShape(
        one.id,
        one.kind,
        one.name,
        one.address,
        "token" in channels.secrets_set(ctx, one),
        one.events,
        one.projects,
        one.everywhere,
        one.created_at,
        one.created_by,
    )


def _delivery(ctx: Context, one: Delivery) -> DeliveryShape:
    notice = Notice.of(one.notice)
    return DeliveryShape(
        one.id,
        one.channel_id,
        one.channel,
        one.event,
        one.status,
        notice.title,
        notice,
        one.tries,
        one.created_at,
        one.next_at,
        one.ended_at,
        deliveries.attempts(ctx.db.read(), one.id),
    )
