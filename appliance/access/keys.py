"""API keys: shown once, stored hashed, and never worth more than their maker is now."""

import hashlib
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from appliance.access.actor import Actor, nobody
from appliance.access.admission import SEE
from appliance.access.permissions import PERMISSIONS, need, powers
from appliance.access.powers import Powers
from appliance.access.powers_of import powers_of
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Forbidden, Invalid, NotFound
from appliance.machine import clock
from appliance.model.keys import PREFIX, Key, NewKey, fresh_text, is_whole
from appliance.model.people import Person
from appliance.model.places import Place
from appliance.model.scopes import EVERYTHING, Scope, in_words
from appliance.store import environments, keys, people, projects
from appliance.store.db import Connection, NotNow

__all__ = ["PREFIX", "FreshKey", "actor_of", "create_key", "end_login", "revoke_key", "revoke_of", "scope_wanted"]
USED_EVERY = 60  # seconds between two notes of a key's last use
BEGINS = 8  # letters that lists show


@dataclass(frozen=True)
class FreshKey:
    """A key just made, with the text that is never shown again."""

    key: Key
    text: str


def create_key(ctx: Context, actor: Actor, new: NewKey) -> FreshKey:
    need(actor, "keys.own")
    with ctx.write() as db:
        scope = scope_wanted(db, actor, new)
        if actor.key_id:
            scope, new = _no_more_than_its_maker(db, actor, scope, new)
        return add_key(ctx, db, actor, new, scope)


def add_key(ctx: Context, db: Connection, actor: Actor, new: NewKey, scope: Scope, *, login: bool = False) -> FreshKey:
    """In the transaction of whoever decided that it may be."""
    text = fresh_text()
    made = Key(clock.new_id(), new.name, text[:BEGINS], actor.person_id, ctx.moment(), new.expires_at, None, None)
    key = replace(made, scope=scope, login=login)
    keys.add(db, key, _hash(text))
    named = None if scope.places is None else list(keys.names_of(db, scope.places).values())
    record(ctx, db, actor, "key.create", key.name, may=in_words(named, scope.permissions), expires_at=key.expires_at)
    return FreshKey(key, text)


def scope_wanted(db: Connection, actor: Actor, new: NewKey) -> Scope:
    """Places by number. One that may not be seen is told of as one that isn't there."""
    errors: dict[str, str] = {}
    places = list[Place]()
    for name in new.projects or ():
        project = projects.find(db, name)
        if project is None or not powers(actor).hold_within(SEE, project.id):
            errors["projects"] = f"There is no project {name}"
        else:
            places.append(project.at)
    for name in new.environments or ():
        environment = environments.find(db, *name.split("/", 1))
        if environment is None or not powers(actor).hold(SEE, environment.at):
            errors["environments"] = f"There is no environment {name}"
        else:
            places.append(environment.at)
    for permission in new.permissions or ():
        if permission not in PERMISSIONS:
            errors["permissions"] = f"There is no permission {permission[:60]}"
    if errors:
        raise Invalid(errors)
    bound = new.projects is not None or new.environments is not None
    return Scope(tuple(places) if bound else None, None if new.permissions is None else tuple(new.permissions))


def revoke_key(ctx: Context, actor: Actor, key_id: str) -> None:
    """One of one's own."""
    with ctx.write() as db:
        key = keys.find(db, key_id)
        if key is None or key.person_id != actor.person_id:
            raise _gone()
        keys.remove(db, key_id)
        record(ctx, db, actor, "key.revoke", key.name)


def revoke_of(ctx: Context, actor: Actor, person: Person, key_id: str) -> None:
    """Somebody else's. An owner's keys are for owners to revoke, as owners are."""
    need(actor, "keys.delete")
    if person.role == "owner" and person.id != actor.person_id:
        need(actor, "people.owners")
    with ctx.write() as db:
        key = keys.find(db, key_id)
        if key is None or key.person_id != person.id:
            raise _gone()
        keys.remove(db, key_id)
        record(ctx, db, actor, "key.revoke", key.name, person=person.email)


def end_login(ctx: Context, actor: Actor) -> bool:
    """Signing out with a key that `homeport login` got ends it; any other key is not a session."""
    with ctx.write() as db:
        key = keys.find(db, actor.key_id)
        if key is None or not key.login:
            return False
        keys.remove(db, key.id)
        record(ctx, db, actor, "key.revoke", key.name)
        return True


def actor_of(ctx: Context, text: str, *, ip: str | None) -> Actor:
    """Who holds this key; nobody when it is unknown or over."""
    db, now = ctx.db.read(), ctx.moment()
    key = keys.find_by_hash(db, _hash(text))
    if key is None:
        return nobody(ip) if is_whole(text) else replace(nobody(ip), cut_key=True)
    if key.expires_at is not None and key.expires_at <= now:
        return nobody(ip)
    person = people.find(db, key.person_id)
    if person is None:
        return nobody(ip)
    _note_use(ctx, key, ip)
    held = kept_to(key.scope, powers_of(db, person))
    return Actor("key", _name(key.name), person.role, person.id, door="api", ip=ip, key_id=key.id, powers=held)


def kept_to(scope: Scope, held: Powers) -> Powers:
    """Of what its maker may do now, what the key may."""
    if scope.places is not None:
        held = held.only_in(scope.places)
    if scope.permissions is not None:
        held = held.only(frozenset(scope.permissions))
    return held


def _no_more_than_its_maker(db: Connection, actor: Actor, scope: Scope, new: NewKey) -> tuple[Scope, NewKey]:
    """A key that a key makes is neither wider nor works for longer."""
    maker = keys.find(db, actor.key_id)
    if maker is None:
        raise _gone()
    if maker.expires_at and new.expires_at and new.expires_at > maker.expires_at:
        raise Invalid({"expires_at": "The key that asks ends before that, and can't make one that works for longer"})
    if maker.scope != EVERYTHING:
        scope = _within(maker.scope, scope)
    return scope, replace(new, expires_at=new.expires_at or maker.expires_at)


def _within(maker: Scope, scope: Scope) -> Scope:
    if maker.places is not None:
        raise Forbidden("A key that is kept to some places makes no keys.")
    mine = maker.permissions or ()
    wider = sorted(set(scope.permissions or ()) - set(mine))
    if wider:
        raise Forbidden(f"This key may not give what it does not hold: {_listed(wider)}.")
    return replace(scope, permissions=mine if scope.permissions is None else scope.permissions)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _gone() -> NotFound:
    return NotFound("There is no such key; it may have been revoked already.")


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
