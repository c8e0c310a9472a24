"""API keys: shown once, stored hashed."""

import hashlib
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass

from appliance.access.actor import Actor, nobody
from appliance.access.powers_of import powers_of
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import NotFound
from appliance.machine import clock
from appliance.model.keys import Key, NewKey
from appliance.store import keys, people
from appliance.store.db import NotNow

PREFIX = "hp_"
USED_EVERY = 60  # seconds between two notes of a key's last use


@dataclass(frozen=True)
class FreshKey:
    """A key just made, with the text that is never shown again."""

    key: Key
    text: str


def create_key(ctx: Context, actor: Actor, new: NewKey) -> FreshKey:
    text = PREFIX + secrets.token_urlsafe(30)
    key = Key(clock.new_id(), new.name, text[:8], actor.person_id, ctx.moment(), new.expires_at, None, None)
    with ctx.write() as db:
        keys.add(db, key, _hash(text))
        record(ctx, db, actor, "key.create", key.name)
    return FreshKey(key, text)


def revoke_key(ctx: Context, actor: Actor, key_id: str) -> None:
    with ctx.write() as db:
        key = keys.find(db, key_id)
        if key is None or key.person_id != actor.person_id:
            raise NotFound("There is no such key; it may have been revoked already.")
        keys.remove(db, key_id)
        record(ctx, db, actor, "key.revoke", key.name)


def actor_of(ctx: Context, text: str, *, ip: str | None) -> Actor:
    """Who holds this key; nobody when it is unknown or over."""
    db, now = ctx.db.read(), ctx.moment()
    key = keys.find_by_hash(db, _hash(text))
    if key is None or (key.expires_at is not None and key.expires_at <= now):
        return nobody(ip)
    person = people.find(db, key.person_id)
    if person is None:
        return nobody(ip)
    _note_use(ctx, key, ip)
    held = powers_of(db, person)
    return Actor("key", _name(key.name), person.role, person.id, door="api", ip=ip, key_id=key.id, powers=held)


def _note_use(ctx: Context, key: Key, ip: str | None) -> None:
    """Written by a thread of its own, at most once a minute a key: a request never waits for it."""
    if key.last_used_at is not None:
        since = (ctx.now() - clock.parse(key.last_used_at)).total_seconds()
        if since < USED_EVERY and key.last_used_from == ip:
            return
    at = ctx.moment()
    threading.Thread(target=_write_use, args=(ctx, key.id, at, ip), daemon=True).start()


def _write_use(ctx: Context, key_id: str, at: str, ip: str | None) -> None:
    with suppress(NotNow), ctx.db.write() as db:
        keys.used(db, key_id, at, ip)


def _name(name: str) -> str:
    return name if name.endswith("key") else f"{name} key"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
