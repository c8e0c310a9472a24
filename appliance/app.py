"""The composition root: the only file that knows everything."""

import fcntl
import gc
import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from appliance import __version__, process_log
from appliance.access import chain, second_step, secrets, setup
from appliance.access.actor import OPERATOR
from appliance.access.secrets import Rotated
from appliance.api.openapi import document
from appliance.api.routes import routes as api_routes
from appliance.backups import host as backups
from appliance.backups import restore as restoring
from appliance.backups.restore import Came
from appliance.backups.write import Written
from appliance.context import Context
from appliance.deploy import mend, paths
from appliance.deploy.recover import recover
from appliance.doctor.here import examine_host
from appliance.errors import HomeportError, StartFailed
from appliance.events import Bus, Restored
from appliance.machine import clock, faults, keyring, partner
from appliance.machine.keyring import Keyring
from appliance.model.activity import Verified
from appliance.model.checks import Check
from appliance.model.people import NewPerson, Person
from appliance.settings import Settings
from appliance.store import people, saved, sealed
from appliance.store.db import Database
from appliance.ui.routes import routes as ui_routes
from appliance.upgrade import exchange, handover, outcome
from appliance.upgrade import record as progress
from appliance.upgrade import rehearse as rehearsing
from appliance.upgrade.control import Control, Wanted
from appliance.upgrade.handover import Held
from appliance.web import journal, server
from appliance.web.errors import on_error, on_fault, on_gone, on_http
from appliance.web.hosts import HostSwitch
from appliance.web.middleware import Edge
from appliance.web.routes import refuse_undeclared
from appliance.worker.runner import Runner


def open_context(settings: Settings, *, serving: bool = False, copied: bool = False) -> Context:
    """Folders, secret and database, made or brought up to date."""
    with _usable(settings.data):
        paths.make_folders(settings.data)
    path = settings.data / "homeport.db"
    master = keyring.opened(settings.data, fresh=not path.exists())
    path.touch(mode=0o600)  # before anything is in it; the files that SQLite makes beside it become as private
    path.chmod(0o600)
    database = Database(path)
    if not serving:
        _refuse_to_meddle(settings.data, database)
    wanted = sealed.key_of(database.read())
    master = keyring.right(settings.data, master, wanted)
    if serving:
        keyring.settle(settings.data, wanted)
    aside = settings.data / "backups" / f"before-{__version__}-{clock.new_id()}.db"
    database.migrate(None if copied else aside)
    ctx = Context(settings, database, Bus(), Keyring(settings.data, master), _instance(database))
    secrets.bring_up_to_date(ctx, master)
    chain.begin(ctx)
    return ctx


def build(ctx: Context) -> ASGIApp:
    """Everything that answers HTTP."""
    routes = [*api_routes(), *ui_routes()]
    refuse_undeclared(routes)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Edge, ctx=ctx)],
        exception_handlers={
            HomeportError: on_error,
            HTTPException: on_http,
            ClientDisconnect: on_gone,
            Exception: on_fault,
        },
    )
    app.state.ctx = ctx
    app.state.openapi = cache(lambda: document(routes))
    app.router.redirect_slashes = False
    return HostSwitch(app, ctx)


def serve(settings: Settings) -> None:
    """Run until asked to end; then finish what is in hand. Another file may go on in between, with all that is open."""
    logging.basicConfig(level=logging.INFO, format=journal.FORM, stream=sys.stderr)
    if handed := handover.held(os.environ):
        _take_turns(settings, handed)
        return
    listener = _listen(settings)
    with _alone(settings.data) as lock:
        restoring.finish(settings.data)
        _take_turns(settings, Held(listener, lock))


def _take_turns(settings: Settings, held: Held) -> None:
    """A new file that can't be run leaves us in our place."""
    settings = replace(settings, port=held.listener.getsockname()[1])
    while wanted := _turn(settings, held):
        held.reason = held.reason or handover.give(held, wanted.new, wanted.old, wanted.patience)


def _turn(settings: Settings, held: Held) -> Wanted | None:
    """Serve; comes back with what is to go on in our place, or with nothing at the end."""
    handed = held.forward or bool(held.reason)
    try:
        ctx, app = _ready(settings, held)
    except HomeportError as why:
        outcome.explain(why)
        raise
    journal.keep_clean(ctx)
    stop_keeping = process_log.keep(ctx)
    runner = Runner(ctx)
    runner.start()
    gc.freeze()  # what is loaded stays: looking through it for rubbish again and again costs more than it holds
    _greet(ctx, again=handed)
    serving = server.Server(app, ctx, runner.stop)
    control = Control(ctx, serving.leave)
    control.start()
    ctx.bus.listen(lambda event: serving.leave_soon() if isinstance(event, Restored) else None)
    process_log.tell(ctx, "homeport", f"Homeport {__version__} answers at {address(ctx)}.")
    left = serving.serve_on(held.listener, held.connections)
    runner.stop()
    partner.send_all_away()
    control.stop()
    held.connections = serving.taken_along
    chain.note(ctx)
    process_log.tell(ctx, "homeport", f"Homeport {__version__} goes.")
    stop_keeping()
    if left and control.wanted:
        outcome.set_aside(ctx, held, control.wanted)
    ctx.db.close()
    if left and restoring.finish(settings.data):  # a backup came in by the first page
        held.forward, held.reason = False, ""
        return _turn(settings, held)
    return control.wanted if left else None


def _ready(settings: Settings, held: Held) -> tuple[Context, ASGIApp]:
    """Everything up to the first answer. Until `settle`, whatever happened to the database can be taken back."""
    rehearsing.clear(settings.data)
    underway = progress.opened(settings.data) if held.forward else progress.undo(settings.data)
    ctx = open_context(settings, serving=True, copied=bool(held.forward and underway and underway.copy))
    recover(ctx)
    app = build(ctx)
    if held.forward:
        server.try_out(app, ctx)
        faults.point("upgrade tried")
    outcome.settle(ctx, held, underway)
    chain.see_to_it(ctx)
    return ctx, app


def rehearse(settings: Settings) -> Mapping[str, object]:
    """What a start would do to the database, done to a copy, and whether all answers then."""
    changes = Database(settings.data / "homeport.db").pending()
    ctx = open_context(settings, serving=True, copied=True)
    server.try_out(build(ctx), ctx)
    ctx.db.close()
    return {"version": __version__, "changes": changes}


def setup_link(settings: Settings) -> str:
    ctx = open_context(settings)
    return setup.make_link(ctx, saved.meta(ctx.db.read(), "address") or address(ctx))


def doctor(settings: Settings) -> Sequence[Check]:
    return examine_host(settings)


def examine_store(settings: Settings) -> mend.Found:
    """Reads every content, and mends what can be; safe beside a running appliance."""
    return mend.examine(open_context(settings))


def verify_activity(settings: Settings) -> Verified:
    return chain.verify(open_context(settings))


def backup(settings: Settings, file: Path, passphrase: str) -> Written:
    return backups.to_file(settings.data, file, passphrase)


def restore(settings: Settings, file: Path, passphrase: str, *, without_keys: bool) -> Came:
    with _alone(settings.data):
        return backups.from_file(file, settings.data, passphrase, without_keys=without_keys)


def add_person(settings: Settings, email: str, password: str, role: str) -> Person:
    new = NewPerson.parse({"email": email, "password": password, "role": role})
    return setup.add_person(open_context(settings), OPERATOR, new)


def list_people(settings: Settings) -> Sequence[Person]:
    ctx = open_context(settings)
    return people.all_people(ctx.db.read())


def reset_password(settings: Settings, email: str, password: str) -> Person:
    new = NewPerson.parse({"email": email, "password": password})
    return setup.reset_password(open_context(settings), OPERATOR, new)


def rotate_key(settings: Settings, *, lost: bool) -> Rotated:
    """By the appliance that runs; where none does, here."""
    running = None if lost else exchange.ask(settings.data)
    if running is not None:
        return Rotated(running)
    with _alone(settings.data):
        _refuse_midway(settings.data)
        if lost:
            return secrets.begin_anew(_without_key(settings), lambda: open_context(settings, serving=True))
        return secrets.rotate(open_context(settings, serving=True))


def reset_factors(settings: Settings, email: str) -> Person:
    return second_step.reset_factors(open_context(settings), OPERATOR, email)


def address(ctx: Context) -> str:
    """Where people reach this appliance, as far as it can know."""
    if ctx.settings.url:
        return ctx.settings.url.rstrip("/")
    host = ctx.base.host
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - read, not bound
        host = _lan_address()
    return f"http://{f'[{host}]' if ':' in host else host}:{ctx.base.port}"


def _without_key(settings: Settings) -> Database:
    """The database alone, in its form of now."""
    path = settings.data / "homeport.db"
    if not path.exists():
        raise StartFailed(f"There is no Homeport in {settings.data}: it has no database.", code="no_database")
    database = Database(path)
    database.migrate(settings.data / "backups" / f"before-{__version__}-{clock.new_id()}.db")
    return database


def _instance(database: Database) -> str:
    """What tells this appliance from others, in marks that it leaves outside."""
    known = saved.meta(database.read(), "instance")
    if known is None:
        known = clock.new_id()
        with database.write() as db:
            saved.set_meta(db, "instance", known)
    return known


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # named as TCP: only then asyncio turns Nagle's delay off for what it accepts
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as why:
        listener.close()
        raise StartFailed(
            f"Port {settings.port} on {settings.host} can't be used: {why.strerror}.",
            code="port_taken",
            todo=("Stop what listens there, or choose another with --port.",),
        ) from why
    listener.set_inheritable(True)
    return listener


@contextmanager
def _usable(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as why:
        raise StartFailed(
            f"The data folder {data} can't be made or used: {why.strerror}.",
            todo=("Choose another with --data, or give this user the right to write it.",),
        ) from why


@contextmanager
def _alone(data: Path) -> Iterator[int]:
    """One process for each data folder."""
    path = data / "lock"
    with _usable(data):
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailed(
                f"Another Homeport is running with {data}.",
                code="running",
                todo=("Stop it first, or choose another folder with --data.",),
            ) from None
        yield lock.fileno()


def _refuse_to_meddle(data: Path, database: Database) -> None:
    """A command beside the appliance doesn't change the form of what that has open, nor what may be taken back."""
    _refuse_midway(data)
    if database.pending():
        with suppress(FileNotFoundError), (data / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StartFailed(
                    f"An older Homeport is running with {data}, and this file would change its database.",
                    code="running",
                    todo=("Use the file that it runs from, or run `homeport upgrade` with this one first.",),
                ) from None


def _refuse_midway(data: Path) -> None:
    if progress.read(data):
        todo = ("Try again in a moment. Where no Homeport runs, start it first.",)
        raise StartFailed(f"An upgrade of the Homeport in {data} is going on.", code="upgrading", todo=todo)


def _greet(ctx: Context, *, again: bool) -> None:
    with ctx.db.write() as db:
        saved.set_meta(db, "address", address(ctx))
    print(f"Homeport {__version__} is ready at {address(ctx)}", flush=True)  # noqa: T201
    if setup.needed(ctx) and not again:
        link = setup.make_link(ctx, address(ctx))
        print(f"Set it up here, once, within 30 minutes:\n  {link}", flush=True)  # noqa: T201


def _lan_address() -> str:
    """The address of this host that others would use; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
