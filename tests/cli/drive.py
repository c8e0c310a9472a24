"""The command line as a user drives it: in this process, in one of its own, or at a terminal."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from appliance.__main__ import host
from appliance.cli.main import homeport

ROOT = Path(__file__).resolve().parents[2]
BUILT = os.environ.get("HOMEPORT_TEST_FILE")
PROGRAM = [sys.executable, BUILT] if BUILT else [sys.executable, "-m", "appliance"]
HEARING = ("env", "--default-signal=INT")  # a suite in the background ignores Ctrl-C, and hands that on
PATIENCE = 30


@dataclass
class Cli:
    """Runs commands in this process, against a real server where they ask for one."""

    environ: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: object, code: int = 0, stdin: str | None = None, **environ: str) -> Result:
        result = CliRunner().invoke(
            homeport, [str(word) for word in words], input=stdin, env={**self.environ, **environ}, obj=host
        )
        assert result.exit_code == code, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        assert "Traceback" not in result.output
        return result

    def json(self, *words: object, code: int = 0, **environ: str) -> Any:
        return json.loads(self(*words, "--json", code=code, **environ).stdout)

    def process(self, *words: object, **more: Any) -> "subprocess.Popen[str]":
        """The same in a process of its own."""
        return subprocess.Popen(
            [*HEARING, *PROGRAM, *map(str, words)],
            cwd=ROOT,
            env={**bare(), **self.environ, **more.pop("environ", {})},
            stdin=more.pop("stdin", subprocess.DEVNULL),
            stdout=more.pop("stdout", subprocess.PIPE),
            stderr=more.pop("stderr", subprocess.PIPE),
            text=True,
            **more,
        )

    def terminal(self, *words: object, **environ: str) -> "Terminal":
        return Terminal(words, {**bare(), "TERM": "xterm", **self.environ, **environ})


class Terminal:
    """A command at a terminal of 60 columns: everything that it shows, and keys to press."""

    def __init__(self, words: tuple[object, ...], environ: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 60))
        self.shown = ""
        self.process = subprocess.Popen(
            [*HEARING, "setsid", "--ctty", *PROGRAM, *map(str, words)],  # so that Ctrl-C reaches it
            cwd=ROOT,
            env=dict(environ),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def until(self, text: str) -> str:
        """Wait until it shows this."""
        while text not in self.shown:
            assert select.select([self._ours], [], [], PATIENCE)[0], (
                f"it went silent before it showed {text!r}: {self.shown}"
            )
            more = self._read()
            assert more, f"it ended before it showed {text!r}: {self.shown}"
        return self.shown

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def end(self, insist: str = "") -> int:
        """Everything to its end, and how it ended; keys to press again when nothing comes of them."""
        while True:
            if select.select([self._ours], [], [], 0.5)[0]:
                if not self._read():
                    break
            elif insist:
                self.press(insist)
        os.close(self._ours)
        return self.process.wait(PATIENCE)

    def _read(self) -> str:
        try:
            more = os.read(self._ours, 1 << 16).decode("utf-8", "replace")
        except OSError:  # the other end is closed
            more = ""
        self.shown += more
        return more


def bare() -> dict[str, str]:
    """The environment without what would steer the command line."""
    steering = ("HOMEPORT_", "NO_COLOR", "COLUMNS", "LINES")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)}


def interrupt(process: "subprocess.Popen[Any]") -> None:
    """Press Ctrl-C."""
    process.send_signal(signal.SIGINT)
