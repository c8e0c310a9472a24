"""The appliance's side of an upgrade: what it is asked for, up to the moment when it leaves its place."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import appliance
from appliance import __version__
from appliance.access import secrets
from appliance.context import Context
from appliance.errors import Conflict, HomeportError, HostFailed
from appliance.machine import faults
from appliance.machine.files import refusals
from appliance.store.db import NotNow
from appliance.upgrade import candidate
from appliance.upgrade.rehearse import Rehearsed, rehearse
from appliance.upgrade.talk import NAME, Message, Refused, Talk, listen

QUIET = 600.0  # seconds that whoever asks may take to say the next thing
SWAPPING = 60.0
logger = logging.getLogger("homeport.upgrade")


@dataclass(frozen=True)
class Wanted:
    """An upgrade that may go ahead."""

    new: Path
    old: Path
    to: Rehearsed
    patience: float
    talk: Talk


class Control:
    """Listens for `homeport upgrade`, and for a new key; `leave` has the server end without closing its door."""

    def __init__(self, ctx: Context, leave: Callable[[], None]) -> None:
        self._ctx = ctx
        self._leave = leave
        self._one = threading.Lock()
        self._listener: socket.socket | None = None
        self.wanted: Wanted | None = None

    def start(self) -> None:
        try:
            self._listener = listen(self._ctx.data)
        except OSError as why:
            logger.warning("no upgrade can be asked for while this runs: %s", why)
            return
        threading.Thread(target=self._accept, args=(self._listener,), name="upgrade", daemon=True).start()

    def stop(self) -> None:
        if self._listener:
            (self._ctx.data / NAME).unlink(missing_ok=True)
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits there
            self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:  # closed: this process is about to end
                return
            threading.Thread(target=self._converse, args=(Talk(sock),), name="upgrade-talk", daemon=True).start()

    def _converse(self, talk: Talk) -> None:
        while asked := talk.hear(QUIET):
            if asked.get("do") == "about":
                file = os.environ.get("HOMEPORT_FILE")
                talk.say(version=__version__, file=file, build=Path(appliance.__file__).resolve().parents[2].name)
            elif asked.get("do") == "upgrade":
                self._upgrade(talk, asked)
            elif asked.get("do") == "rotate-key":
                self._rotate_key(talk)
            if self.wanted and self.wanted.talk is talk:
                return  # it goes on with the next file
        talk.close()

    def _upgrade(self, talk: Talk, asked: Message) -> None:
        if not self._one.acquire(blocking=False):
            talk.fail(Refused("Another upgrade is going on.", todo=("Wait for its end.",)))
            return
        try:
            with refusals():
                self.wanted = self._prepared(talk, Path(asked["file"]), float(asked["patience"]))
        except HomeportError as why:
            talk.fail(why)
        if self.wanted:
            self._leave()
        else:
            self._one.release()

    def _rotate_key(self, talk: Talk) -> None:
        """Never while a file is tried: that has a copy of the key."""
        if not self._one.acquire(blocking=False):
            talk.fail(Conflict("An upgrade is going on.", todo=("Wait for its end.",)))
            return
        try:
            with refusals():
                talk.say(done=secrets.rotate(self._ctx).secrets)
        except HomeportError as why:
            talk.fail(why)
        except NotNow as why:
            talk.fail(HostFailed(f"The database can't be written: {why}.", todo=("Run `homeport doctor`.",)))
        finally:
            self._one.release()

    def _prepared(self, talk: Talk, file: Path, patience: float) -> Wanted | None:
        """Everything that can fail, while nothing has been changed yet."""
        found = candidate.read(file)
        candidate.refuse_foreign(found)
        talk.say(step="rehearse")
        rehearsed = rehearse(self._ctx, found, patience)
        faults.point("upgrade rehearsed")
        talk.say(step="swap", version=rehearsed.version)
        swapped = talk.hear(SWAPPING)
        if swapped is None or "new" not in swapped:
            return None
        talk.say(step="hand over")
        return Wanted(Path(swapped["new"]), Path(swapped["old"]), rehearsed, patience, talk)
