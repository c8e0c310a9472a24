"""Fault points: places where a test may make this process die, to see what the next start makes of it."""

import os
import signal

_WANTED = os.environ.get("HOMEPORT_FAULT", "")  # kill:<point>; set by tests only


def point(name: str) -> None:
    if _WANTED == f"kill:{name}":
        os.kill(os.getpid(), signal.SIGKILL)
