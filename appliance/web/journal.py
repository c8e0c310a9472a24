"""What goes to the journal: each line, and each trace, without secrets."""

import logging
import sqlite3
import threading
from contextlib import suppress

from appliance.context import Context

FORM = "%(levelname)s %(name)s: %(message)s"
logger = logging.getLogger("homeport")


class Careful(logging.Formatter):
    def __init__(self, ctx: Context) -> None:
        super().__init__(FORM)
        self._ctx = ctx
        self._redactor = ctx.redactor()

    def format(self, record: logging.LogRecord) -> str:
        with suppress(sqlite3.Error):  # at the end of the process there may be lines still, and no database
            self._redactor = self._ctx.redactor()
        return self._redactor(super().format(record))


def keep_clean(ctx: Context) -> None:
    """From here on, whoever logs, and whatever thread ends in a trace."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Careful(ctx))
    threading.excepthook = _log_trace


def _log_trace(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread else "a thread"
    logger.error("%s ended in a fault", name, exc_info=ended.exc_value)
