"""Exchange the key that everything secret is sealed with, while serving or for good."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from appliance.access import chain
from appliance.access.actor import OPERATOR, Actor
from appliance.access.record import record
from appliance.context import LASTING, Context
from appliance.errors import Conflict
from appliance.events import SettingsChanged
from appliance.machine import faults, keyring, sealing
from appliance.machine.sealing import Master
from appliance.settings import SECRETS
from appliance.store import people, saved, sealed
from appliance.store.db import Database

_ONE = threading.Lock()


@dataclass(frozen=True)
class Rotated:
    """A new key is in force."""

    secrets: int  # sealed with it
    to_enter: tuple[str, ...] = ()  # settings that nobody can read any more


def bring_up_to_date(ctx: Context, master: Master) -> None:
    """Seal anew what an earlier version sealed, and note with which key the database goes."""
    db = ctx.db.read()
    first_form = {name: text for name, text in saved.values(db).items() if name in SECRETS and _first_form(text)}
    opened = {name: sealing.unseal_first_form(master.key("settings"), text) for name, text in first_form.items()}
    if sealed.key_of(db) == master.id and not any(opened.values()):
        return
    with ctx.db.write() as db:
        for name, text in opened.items():
            if text:
                saved.replace(db, name, ctx.seal(db, "saved", name, text))
        sealed.set_key(db, master.id)


def rotate(ctx: Context, actor: Actor = OPERATOR) -> Rotated:
    """A new master key; whenever this is broken off, the next start has all that it needs."""
    if not _ONE.acquire(blocking=False):
        raise Conflict("The key is being exchanged already.", todo=("Wait for its end.",))
    try:
        with _placed_in_the_end(ctx):
            new = sealing.new_master()
            keyring.lay_ready(ctx.data, new)
            faults.point("rotate laid")
            done = _sealed_with(ctx, new, actor)
            faults.point("rotate committed")
        faults.point("rotate placed")
        return done
    finally:
        _ONE.release()


def begin_anew(database: Database, opened: Callable[[], Context]) -> Rotated:
    """The key is lost for ever: forget what it sealed, and everybody's session, and go on with a new one."""
    data, db = database.path.parent, database.read()
    if any(one.id == sealed.key_of(db) for one in keyring.there(data)):
        raise Conflict(
            f"{data / keyring.NAME} is the key that this database was sealed with: nothing is lost.",
            code="not_lost",
            todo=("Run `homeport rotate-key` without --lost for a new one.",),
        )
    to_enter = tuple(sorted(set(saved.values(db)) & set(SECRETS)))
    with database.write() as db:
        for name in to_enter:
            saved.forget(db, name)
        sealed.forget_keys(db)
        people.end_every_session(db)
    database.close()
    keyring.lay_ready(data, sealing.new_master())
    keyring.put_in_place(data)
    chain.mark_restored(data)
    ctx = opened()
    with ctx.write() as db:
        record(ctx, db, OPERATOR, "secret.begin_anew", keyring.NAME, to_enter=", ".join(to_enter))
    return Rotated(0, to_enter)


@contextmanager
def _placed_in_the_end(ctx: Context) -> Iterator[None]:
    """Whichever key the database goes with by then has the name; also where the middle fails."""
    keyring.settle(ctx.data, sealed.key_of(ctx.db.read()))
    try:
        yield
    finally:
        keyring.settle(ctx.data, sealed.key_of(ctx.db.read()))


def _sealed_with(ctx: Context, new: Master, actor: Actor) -> Rotated:
    """Every secret's own key, wrapped anew in one transaction. Sessions end: whoever had the old key could sign any."""
    old = ctx.master
    with ctx.write(SettingsChanged()) as db:
        done, _ = sealed.exchange(db, lambda place, text: sealing.wrap_anew(old, new, place, text))
        for purpose in LASTING:
            key_id = f"{purpose} {old.id}"
            kept = sealing.seal(new, sealed.place("old_keys", key_id), old.key(purpose).hex())
            sealed.keep_old_key(db, key_id, purpose, kept, ctx.moment())
        people.end_every_session(db)
        record(ctx, db, actor, "secret.rotate", keyring.NAME, secrets=done)
        sealed.set_key(db, new.id)
        faults.point("rotate sealed")
    return Rotated(done)


def _first_form(value: str) -> bool:
    return bool(value) and sealing.sealed_by(value) is None
