"""The log of a deployment: lines in a file, readable while they are written."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.context import Context
from appliance.deploy import paths
from appliance.events import LogGrew
from appliance.machine import files
from appliance.model.process_log import LONGEST, MARKS, one_line

logger = logging.getLogger("homeport.deploy")
LEVELS = ("info", "warn", "error")
MOST = 64 * LONGEST  # characters of a line that are kept until it is whole


@dataclass(frozen=True)
class Line:
    number: int  # from 1
    at: str
    step: str
    level: str
    text: str

    @property
    def plain(self) -> str:
        return f"{self.at} {self.step:<9} {MARKS.get(self.level, '')}{self.text}"


class Log:
    """Writes one deployment's log; secrets are taken out here, before anything is stored."""

    def __init__(self, ctx: Context, deployment: str) -> None:
        self._ctx = ctx
        self._deployment = deployment
        self._path = paths.log_file(ctx, deployment)
        self.step = "upload"

    def info(self, text: str) -> None:
        self._write("info", text)

    def warn(self, text: str) -> None:
        self._write("warn", text)

    def error(self, text: str) -> None:
        self._write("error", text)

    def flow(self) -> "Flow":
        return Flow(self)

    def _write(self, level: str, text: str) -> None:
        at = self._ctx.moment()
        clean = self._ctx.redact(text)
        lines = "".join(f"{at}\t{self.step}\t{level}\t{one_line(part)}\n" for part in clean.splitlines() or [""])
        try:
            self._append(lines.encode("utf-8", "replace"))
        except OSError as why:  # a line that can't be written stops no deployment
            logger.warning("%s: %s", self._path, why.strerror)
        self._ctx.bus.publish(LogGrew(self._deployment))

    def _append(self, lines: bytes) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            files.write_all(handle, lines)
        finally:
            os.close(handle)


class Flow:
    """What a process says, in whatever pieces: written by whole lines, so that no secret is cut in two."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._line = ""

    def take(self, piece: str) -> None:
        *whole, self._line = (self._line + piece).split("\n")
        for line in whole:
            self._log.info(line)
        self._line = self._line[:MOST]  # of one that long nothing more is shown

    def end(self) -> None:
        if self._line:
            self._log.info(self._line)
        self._line = ""


def read(ctx: Context, deployment: str, after: int = 0) -> Iterator[Line]:
    """The lines that come after a number; one that a power cut tore is left out."""
    path = paths.log_file(ctx, deployment)
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for number, text in enumerate(file, 1):
            if number > after and text.endswith("\n") and text.count("\t") >= 3:
                at, step, level, rest = text[:-1].split("\t", 3)
                yield Line(number, at, step, level, rest)


def read_all(ctx: Context, deployment: str, after: int = 0) -> list[Line]:
    return list(read(ctx, deployment, after))
