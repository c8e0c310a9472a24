"""Passwords: bcrypt, the same time for a person who is not there."""

import os
import threading
from contextlib import AbstractContextManager, nullcontext

import bcrypt

ROUNDS = 12
QUICK = 8  # rounds, up to which nobody else notices
TURNS = threading.BoundedSemaphore(max(1, len(os.sched_getaffinity(0)) - 1))  # a core is left for all the rest


def hashed(password: str, rounds: int = ROUNDS) -> str:
    with _turn(rounds):
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


def matches(password: str, stored: str) -> bool:
    """False for what can't be a password here, and for whoever has none, after the same work."""
    given = password.encode("utf-8", "surrogatepass").replace(b"\0", b"?")
    known = stored if is_one(stored) else NOBODY
    with _turn(int(known.split("$")[2])):
        same = bcrypt.checkpw(given[:72], known.encode())
    return same and is_one(stored) and len(given) <= 72


def is_one(stored: str) -> bool:
    """Whether somebody has a password at all."""
    return stored.startswith("$2")


def _turn(rounds: int) -> AbstractContextManager[object]:
    return TURNS if rounds > QUICK else nullcontext()


# a hash like any other; making one at every start would cost a quarter of a second
NOBODY = "$2b$12$gDPdD06Uv0DawE4KVJBf7.WRAds8nWOk1mk4Pi1Wq/pdpc8woYxTS"
NONE = "-"  # of somebody who comes in another way
