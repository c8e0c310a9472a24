"""The only place that starts a process: argument lists, never a shell."""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import NoReturn

from appliance.errors import Cancelled, HostFailed
from appliance.machine import stopping

LOOK_EVERY = 0.2  # seconds between two looks for a wish to stop


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    argv: tuple[str, ...]
    code: int
    output: str  # standard output and error, as they came

    @property
    def ok(self) -> bool:
        return self.code == 0


def run(
    argv: Sequence[str],
    *,
    timeout: float = 30,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
) -> Ran:
    """Run a command to its end. A command that is missing or takes too long is a HostFailed that names it."""
    words = tuple(argv)
    try:
        child = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise HostFailed(
            f"The command {words[0]} is not on this host.",
            code="no_command",
            todo=(f"Install {words[0]}, or set its path.",),
        ) from None
    except PermissionError:
        raise HostFailed(f"Homeport may not run {words[0]}.", code="not_permitted") from None
    try:
        output = _to_its_end(child, stdin, timeout)
    except Cancelled:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        raise
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        raise HostFailed(
            f"{words[0]} did not answer within {timeout:g} seconds.",
            code="command_slow",
            said=output.decode(errors="replace"),
        ) from None
    return Ran(words, child.returncode, output.decode(errors="replace"))


def _to_its_end(child: "subprocess.Popen[bytes]", stdin: bytes, timeout: float) -> bytes:
    """All that it says; TimeoutExpired, or Cancelled, when it has not ended by then."""
    until = monotonic() + timeout
    given: bytes | None = stdin
    while True:
        left = max(until - monotonic(), 0)
        try:
            output, _ = child.communicate(given, timeout=min(left, LOOK_EVERY) if stopping.may_come() else left)
            return output
        except subprocess.TimeoutExpired:
            if left <= LOOK_EVERY:
                raise
        given = None  # it has been told
        stopping.check()


class Beside:
    """A process that answers a line with a line until its input ends."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self.pid = child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def wait(self) -> None:
        self._child.wait()

    def ask(self, line: bytes) -> bytes:
        if self._child.stdin is None or self._child.stdout is None:
            raise EOFError("the process has no ears")
        self._child.stdin.write(line)
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if not answer:
            raise EOFError("the process ended")
        return answer

    def stop(self) -> None:
        self._child.kill()

    def end(self) -> None:
        """Nobody may be asking any more."""
        self._child.kill()
        with suppress(BrokenPipeError):
            self._child.communicate()


def beside(argv: Sequence[str]) -> Beside:
    return Beside(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))


def go_on_as(uid: int, environ: Mapping[str, str]) -> NoReturn:
    """Run this same command once more as another user, in place of root's."""
    try:
        person = pwd.getpwuid(uid)
    except KeyError:
        raise HostFailed(f"There is no user with the number {uid} on this host.", code="no_user") from None
    file = environ.get("HOMEPORT_FILE")
    words = [file] if file else [sys.executable, "-m", "appliance"]
    os.initgroups(person.pw_name, person.pw_gid)
    os.setgid(person.pw_gid)
    os.setuid(uid)
    os.execve(words[0], [*words, *sys.argv[1:]], {**environ, "HOME": person.pw_dir, "USER": person.pw_name})  # noqa: S606


def become(words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Go on as another program, in this very process."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(words[0], list(words), dict(environ))  # noqa: S606
