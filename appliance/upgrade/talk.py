"""The conversation between `homeport upgrade` and the appliance that runs: lines of JSON over a socket of one's own."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.errors import Forbidden, HomeportError, HostFailed, NotFound

NAME = "upgrade.sock"
Message = dict[str, Any]


class Refused(HomeportError):
    """The appliance said no, or could not; in its own words."""

    status = 409
    code = "not_upgraded"
    title = "Not upgraded"


class Talk:
    """One end of the conversation. That the other end has gone is nothing that keeps this one from its work."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._lines = sock.makefile("rb")

    def say(self, **message: object) -> None:
        try:
            self.sock.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return

    def hear(self, patience: float) -> Message | None:
        """What comes next; None when the other end has gone, or says nothing for so long."""
        self.sock.settimeout(patience)
        try:
            line = self._lines.readline()
            return dict(json.loads(line)) if line.endswith(b"\n") else None
        except (OSError, ValueError):
            return None
        finally:
            self.sock.settimeout(None)

    def fail(self, why: HomeportError) -> None:
        self.say(failed=why.detail, todo=why.todo, said=why.said)

    def close(self) -> None:
        self._lines.close()
        self.sock.close()


def refused(message: Message) -> Refused:
    return Refused(str(message["failed"]), todo=tuple(message.get("todo", ())), said=str(message.get("said", "")))


def listen(data: Path) -> socket.socket:
    """For this user and root alone: whoever can say something here decides what runs."""
    listener = socket.socket(socket.AF_UNIX)
    with _short(data) as folder:
        (data / NAME).unlink(missing_ok=True)
        listener.bind(f"{folder}/{NAME}")
        (data / NAME).chmod(0o600)
    listener.listen(8)
    return listener


def call(data: Path) -> Talk:
    """Reach the appliance that runs with this data folder."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        with _short(data) as folder:
            sock.connect(f"{folder}/{NAME}")
    except PermissionError:
        sock.close()
        raise Forbidden(f"{data} belongs to another user.", todo=("Run it as that user, or with sudo.",)) from None
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        sock.close()
        todo = (
            "Name its folder with --data.",
            "Where none runs, start the new file: it takes over what is there.",
            "Stop one that is too old for this, then start the new file.",
        )
        raise NotFound(f"No Homeport that can be upgraded runs with {data}.", code="not_running", todo=todo) from None
    except OSError as why:
        sock.close()
        raise HostFailed(f"The Homeport that runs with {data} can't be reached: {why.strerror}.") from why
    return Talk(sock)


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """A socket's path may have 107 letters, and a data folder more."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)
