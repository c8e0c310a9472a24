"""Fault points: places where a test may make this process die or fail, to see what becomes of it."""

import errno
import os
import signal
import sqlite3

_WANTED = os.environ.get("HOMEPORT_FAULT", "")  # <how>:<point>, such as kill:publish or eio:unpack; set by tests only


def point(name: str) -> None:
    how, _, where = _WANTED.partition(":")
    if where != name:
        return
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "locked":
        raise sqlite3.OperationalError("database is locked")
    number = getattr(errno, how.upper())
    raise OSError(number, os.strerror(number))
