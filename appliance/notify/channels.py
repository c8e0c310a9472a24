"""Channels: made, changed, removed, and what would be sent."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from appliance.access.actor import Actor
from appliance.access.address import own_address
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, Invalid, NotFound
from appliance.machine import clock
from appliance.model.channels import KEY, Channel, ChannelPatch, NewChannel, Where, where
from appliance.model.notices import EVENTS, TEST, example
from appliance.notify.forms import FORMS, signed
from appliance.notify.said import said
from appliance.store import channels, projects
from appliance.store.db import Connection

ALLOWED = "notifications.update"
HIDDEN = "(secret)"


@dataclass(frozen=True)
class Made:
    """What came of it; the key of a webhook is told this once."""

    channel: Channel
    key: str = ""


@dataclass(frozen=True)
class Preview:
    to: str
    headers: Mapping[str, str]
    body: str


def create_channel(ctx: Context, actor: Actor, new: NewChannel) -> Made:
    need(actor, ALLOWED)
    place, key = where(new.kind, new.to), _new_key() if new.kind == "webhook" else ""
    with ctx.write() as db:
        _refuse_twin(db, new.name, "")
        numbers = _numbers(db, new.projects)
        made = Channel(
            clock.new_id(),
            new.kind,
            new.name,
            place.shown,
            new.events,
            not numbers,
            ctx.moment(),
            actor.name,
            tuple(sorted(new.projects)),
        )
        channels.add(db, made)
        channels.set_projects(db, made.id, numbers)
        _keep(ctx, db, made.id, path=place.path, token=new.token, key=key)
        record(ctx, db, actor, "notification.create", made.name, kind=made.kind, to=made.address)
    return Made(made, key)


def find_channel(ctx: Context, channel_id: str) -> Channel:
    return _found(ctx.db.read(), channel_id)


def change_channel(ctx: Context, actor: Actor, channel_id: str, patch: ChannelPatch) -> Channel:
    need(actor, ALLOWED)
    with ctx.write() as db:
        was = _found(db, channel_id)
        place = where(was.kind, patch.to) if patch.to else Where(was.address)
        now = replace(was, name=patch.name or was.name, address=place.shown, events=patch.events or was.events)
        _refuse_twin(db, now.name, was.id)
        if patch.projects is not None:
            numbers = _numbers(db, patch.projects)
            channels.set_projects(db, was.id, numbers)
            now = replace(now, everywhere=not numbers, projects=tuple(sorted(patch.projects)))
        channels.change(db, now)
        given = {"path": place.path} if patch.to else {}
        _keep(ctx, db, was.id, **given, **({"token": patch.token} if patch.token else {}))
        changed = [name for name in vars(patch) if getattr(patch, name) is not None]
        record(ctx, db, actor, "notification.update", now.name, was=was.name, what=", ".join(changed))
    return now


def exchange_key(ctx: Context, actor: Actor, channel_id: str) -> Made:
    """Another key to sign with; the one before counts no more."""
    need(actor, ALLOWED)
    with ctx.write() as db:
        one = _found(db, channel_id)
        if one.kind != "webhook":
            raise Conflict("Only a webhook is signed with a key.", code="no_key")
        key = _new_key()
        _keep(ctx, db, one.id, key=key)
        record(ctx, db, actor, "notification.exchange_key", one.name)
    return Made(one, key)


def delete_channel(ctx: Context, actor: Actor, channel_id: str) -> None:
    """With everything that waits for it, and its history."""
    need(actor, ALLOWED)
    with ctx.write() as db:
        one = _found(db, channel_id)
        channels.remove(db, one.id)
        record(ctx, db, actor, "notification.delete", one.name)


def preview(ctx: Context, channel: Channel, event: str) -> Preview:
    """What would be sent for an event, made by what sends it; the secrets in it are left out."""
    if event not in (*EVENTS, TEST):
        raise Invalid({"event": f"Choose one of {', '.join(EVENTS)}"})
    words = said("0" * 20, example(event, ctx.moment()), own_address(ctx))
    form = FORMS[channel.kind](words, f"/{HIDDEN}", HIDDEN if "token" in secrets_set(ctx, channel) else "")
    if channel.kind == "webhook":
        form = signed(form, words.id, int(ctx.now().timestamp()), "")
        form = replace(form, headers={**form.headers, "webhook-signature": f"v1,{HIDDEN}"})
    return Preview(channel.address, form.headers, form.body.decode())


def opened(ctx: Context, channel: Channel) -> dict[str, str]:
    """What is secret of it, in the clear: for sending alone."""
    kept = channels.secrets(ctx.db.read(), channel.id)
    return {
        part: ctx.unseal("channel_secrets", channels.secret_name(channel.id, part), text) for part, text in kept.items()
    }


def secrets_set(ctx: Context, channel: Channel) -> frozenset[str]:
    return frozenset(channels.secrets(ctx.db.read(), channel.id))


def _keep(ctx: Context, db: Connection, channel_id: str, **parts: str) -> None:
    sealed = {
        part: ctx.seal(db, "channel_secrets", channels.secret_name(channel_id, part), text) if text else ""
        for part, text in parts.items()
    }
    channels.set_secrets(db, channel_id, sealed)


def _new_key() -> str:
    return f"{KEY}{base64.b64encode(os.urandom(32)).decode()}"


def _found(db: Connection, channel_id: str) -> Channel:
    found = channels.find(db, channel_id)
    if found is None:
        raise NotFound("There is no such channel; it may have been removed.", code="no_channel")
    return found


def _numbers(db: Connection, names: tuple[str, ...]) -> tuple[int, ...]:
    found = {name: projects.find(db, name) for name in names}
    if missing := [name for name, one in found.items() if one is None]:
        raise Invalid({"projects": f"There is no project {', '.join(missing)}"})
    return tuple(one.id for one in found.values() if one)


def _refuse_twin(db: Connection, name: str, but: str) -> None:
    there = channels.find_by_name(db, name)
    if there is not None and there.id != but:
        raise Conflict(f"There is a channel called {there.name} already.", todo=("Choose another name.",))
