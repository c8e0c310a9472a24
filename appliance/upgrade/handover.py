"""What one Homeport leaves to the next in the same process: the listener, the lock, and who is connected.

The start of the packed file (packaging/bootstrap.py) reads BACK: where the new file does not answer in time, it runs
the old one again, with all of this still open.
"""

import faulthandler
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.machine.process import become
from appliance.upgrade.talk import Talk

HANDED = "HOMEPORT_HANDED"
BACK = "HOMEPORT_BACK"
REASON = "HOMEPORT_REASON"
_undecided: list["Held"] = []  # stays open for whoever goes on, also when this one ends in an error


@dataclass
class Held:
    """Open files; closed only when the process ends."""

    listener: socket.socket
    lock: int
    talk: Talk | None = None
    connections: list[socket.socket] = field(default_factory=list)
    forward: bool = False  # a new file that has yet to show that it answers
    reason: str = ""  # why the new file could not go on, where this is the old one again


def held(environ: MutableMapping[str, str]) -> Held | None:
    """What was handed to this process, and to no other."""
    found = json.loads(environ.get(HANDED, "{}"))
    if found.get("pid") != os.getpid():
        return None
    _undecided[:] = [_opened(found, environ)]
    return _undecided[0]


def keep(held: Held, environ: MutableMapping[str, str]) -> None:
    """From here on this file has it all, and there is no way back."""
    signal.alarm(0)
    faulthandler.cancel_dump_traceback_later()
    for name in (HANDED, BACK, REASON):
        environ.pop(name, None)
    for handle in _handles(held):
        os.set_inheritable(handle, False)
    _undecided.clear()


def give(held: Held, new: Path, old: Path, patience: float) -> str:
    """Go on as the new file, in this very process. Comes back with the reason only where that file can't be run."""
    handed = {
        "pid": os.getpid(),
        "listener": held.listener.fileno(),
        "lock": held.lock,
        "talk": held.talk.sock.fileno() if held.talk else None,
        "connections": [one.fileno() for one in held.connections],
    }
    back = {"pid": os.getpid(), "words": words(old), "patience": patience}
    environ = {**os.environ, HANDED: json.dumps(handed), BACK: json.dumps(back)}
    for handle in _handles(held):
        os.set_inheritable(handle, True)
    try:
        become(words(new), environ)
    except OSError as why:
        for handle in _handles(held):
            os.set_inheritable(handle, False)
        return f"{new} can't be run: {why.strerror}."


def _opened(found: Mapping[str, Any], environ: Mapping[str, str]) -> Held:
    talk = found["talk"]
    return Held(
        listener=socket.socket(fileno=found["listener"]),
        lock=found["lock"],
        talk=None if talk is None else Talk(socket.socket(fileno=talk)),
        connections=[socket.socket(fileno=one) for one in found["connections"]],
        forward=BACK in environ,
        reason=environ.get(REASON, ""),
    )


def words(file: Path) -> list[str]:
    """The command that this process was started with, by another file."""
    return [sys.executable, *(["-I"] if sys.flags.isolated else []), str(file), *sys.argv[1:]]


def _handles(held: Held) -> list[int]:
    handles = [held.listener.fileno(), held.lock, *(one.fileno() for one in held.connections)]
    return [*handles, held.talk.sock.fileno()] if held.talk else handles
