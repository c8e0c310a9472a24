"""The process log: where whatever acts outside says what it did, in words, as it does it."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from queue import SimpleQueue

from appliance.context import Context
from appliance.errors import HomeportError
from appliance.events import ProcessLogGrew
from appliance.machine import clock
from appliance.model.process_log import LogLine, one_line
from appliance.store import process_log
from appliance.store.db import Connection, NotNow

LOGGERS = {"homeport.mail": "mail", "homeport.nginx": "nginx", "homeport.dns": "dns"}  # the others are Homeport's own
TOLD = {"told": True}  # with what is logged on the host and told here in other words
TRIM_EVERY = 1_000  # lines: a flood is bounded while it comes in


def tell(
    ctx: Context,
    area: str,
    text: str,
    *,
    level: str = "info",
    subject: str = "",
    project: str | None = None,
    todo: tuple[str, ...] = (),
) -> None:
    """After the transaction that it is about, never in one. It stops nothing: a line that can't be written is lost."""
    with suppress(NotNow), ctx.write(ProcessLogGrew(), lasting=False) as db:
        *above, last = [one_line(part) for part in ctx.redact(text).splitlines()] or [""]
        about, to_do = one_line(ctx.redact(subject)), tuple(one_line(ctx.redact(one)) for one in todo)
        for part in above:
            process_log.add(db, LogLine(0, ctx.moment(), area, level, about, project, part, ()))
        number = process_log.add(db, LogLine(0, ctx.moment(), area, level, about, project, last, to_do))
        if number % TRIM_EVERY == 0:
            _trim(ctx, db)


def tell_why(
    ctx: Context, area: str, why: HomeportError, *, level: str = "error", subject: str = "", project: str | None = None
) -> None:
    """What went wrong, as an error has it, in the machine's own words too."""
    said = f"\nIn its own words: {' '.join(why.said.split())}" if why.said and why.said not in why.detail else ""
    tell(ctx, area, f"{why.detail}{said}", level=level, subject=subject, project=project, todo=why.todo)


def forget_old(ctx: Context) -> None:
    with ctx.db.write(lasting=False) as db:
        _trim(ctx, db)


def keep(ctx: Context) -> Callable[[], None]:
    """From here on our own warnings and errors are in it too; call what comes back to end that."""
    keeper = _Keeper(ctx)
    logger = logging.getLogger("homeport")
    logger.addHandler(keeper)

    def end() -> None:
        logger.removeHandler(keeper)
        keeper.close()

    return end


def _trim(ctx: Context, db: Connection) -> None:
    before = clock.text(ctx.now() - timedelta(days=ctx.settings.log_days))
    process_log.trim(db, before=before, most=ctx.settings.log_lines)


@dataclass(frozen=True)
class _Said:
    area: str
    level: str
    text: str


class _Keeper(logging.Handler):
    """Writes in a thread of its own: whoever logs may be in the middle of writing to the database."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(logging.WARNING)
        self._ctx = ctx
        self._queue: SimpleQueue[_Said | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="process-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "told", False):
            level = "error" if record.levelno >= logging.ERROR else "warn"
            self._queue.put(_Said(LOGGERS.get(record.name, "homeport"), level, _text(record)))

    def close(self) -> None:
        """What was logged before is written first."""
        self._queue.put(None)
        self._thread.join(10)
        super().close()

    def _write(self) -> None:
        while (said := self._queue.get()) is not None:
            tell(self._ctx, said.area, said.text, level=said.level)


def _text(record: logging.LogRecord) -> str:
    """The fault in one line; where it came from is in the host's journal."""
    why = record.exc_info[1] if record.exc_info else None
    return f"{record.getMessage()}: {type(why).__name__}: {why}" if why else record.getMessage()
