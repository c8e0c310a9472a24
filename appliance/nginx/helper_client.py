"""Asking the root helper, and leaving what is wanted where it looks."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.errors import Conflict, HostFailed
from appliance.machine import files
from appliance.machine.trust import user_name
from appliance.nginx import paths
from appliance.nginx.hands import Direct
from appliance.nginx.helper import WANTED
from appliance.nginx.values import file_name, host_of_file
from appliance.settings import Settings

PATIENCE = 300.0  # the helper may wait for another, test, reload, and put back
LONGEST = 4 << 20

Texts = Mapping[str, str | None]


def ask(path: Path, word: str, timeout: float = PATIENCE) -> dict[str, Any]:
    """One word, one answer: {"ok", "said", "changed", "error"}. HostFailed when there is no answer to be had."""
    try:
        with socket.socket(socket.AF_UNIX) as helper:
            helper.settimeout(timeout)
            helper.connect(str(path))
            helper.sendall(f"{word}\n".encode())
            helper.shutdown(socket.SHUT_WR)
            text = _all(helper)
    except (ConnectionResetError, BrokenPipeError) as why:
        raise _silent("The root helper ended without an answer.") from why
    except OSError as why:
        raise _silent(f"The root helper can't be asked at {path}: {why.strerror or why}.") from why
    try:
        answer: dict[str, Any] = json.loads(text)
    except ValueError as why:
        raise _silent("The root helper ended without an answer.") from why
    return answer


class Helper:
    """Hands that can only ask: they write what is wanted, and the helper decides what comes of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._socket = settings.nginx_helper or Path()
        self._wanted = settings.data / WANTED

    def standing(self) -> dict[str, str]:
        return Direct(self._settings).standing()

    def traces(self) -> set[str]:
        return Direct(self._settings).traces()

    def test(self, changes: Texts) -> None:
        """What is refused is taken back, so that it stands in nobody's way."""
        with self._asking_for(changes):
            self._ask("test")

    def apply(self, changes: Texts) -> bool:
        with self._asking_for(changes):
            return bool(self._ask("apply").get("settled"))  # a helper installed before doesn't say

    @contextmanager
    def _asking_for(self, changes: Texts) -> Iterator[None]:
        """What is in force, with these changes: exactly that, whatever was left lying there before."""
        before = self._in_place()
        self._want(before, changes)
        try:
            yield
        except (HostFailed, Conflict):
            self._want(before, {})
            raise

    def _in_place(self) -> dict[str, str]:
        """Every file of ours in force, also one whose link is gone: the helper makes that anew."""
        files = paths.folder(self._settings).glob("*.conf")
        return {host_of_file(file.stem): file.read_text("utf-8") for file in files}

    def _want(self, before: Mapping[str, str], changes: Texts) -> None:
        wanted = {f"{file_name(host)}.conf": text for host, text in {**before, **changes}.items() if text is not None}
        self._wanted.mkdir(mode=0o700, exist_ok=True)
        strange = set(os.listdir(self._wanted)) - wanted.keys()
        stale = {name: text for name, text in wanted.items() if not _holds(self._wanted / name, text)}
        if strange or stale:
            self._not_as_another()
        for name in strange:
            files.remove_tree(self._wanted / name)
        for name, text in stale.items():
            files.write_whole(self._wanted / name, text, mode=0o600)

    def _not_as_another(self) -> None:
        """Root would leave files that the helper refuses, in a folder where someone else may be at work."""
        owner = self._wanted.stat().st_uid
        if owner != os.geteuid():
            name = user_name(owner)
            raise HostFailed(
                f"What NGINX should serve is asked for by {name}, not by {user_name(os.geteuid())}.",
                code="not_permitted",
                todo=(f"Run this as {name}: `runuser -u {name} -- homeport ...`.",),
            )

    def _ask(self, word: str) -> dict[str, Any]:
        answer = ask(self._socket, word)
        if answer["ok"]:
            return answer
        error = answer["error"]
        kind = Conflict if error["kind"] == "Conflict" else HostFailed
        said = "" if answer["said"] == error["detail"] else answer["said"]
        raise kind(error["detail"], code=error["code"], todo=tuple(error["todo"]), said=said)


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text("utf-8", errors="replace") == text


def _all(helper: socket.socket) -> bytes:
    heard = bytearray()
    while len(heard) < LONGEST and (more := helper.recv(65536)):
        heard += more
    return bytes(heard)


def _silent(detail: str) -> HostFailed:
    todo = (
        "Look at `systemctl status homeport-nginx.socket` and `journalctl -u 'homeport-nginx@*'`.",
        "Run `homeport install` as root again if it is not there.",
    )
    return HostFailed(detail, code="nginx_helper", todo=todo)
