"""Passwords: bcrypt, the same time for a person who is not there."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import bcrypt

T = TypeVar("T")
ROUNDS = 12
A_LITTLE = 3  # steps back in the queue for the processor: more, and nobody gets in where the host is busy
QUICK = 8  # rounds, up to which nobody else notices
OTHERS = max(1, len(os.sched_getaffinity(0)) - 1)  # cores: one is left for all the rest


def hashed(password: str, rounds: int = ROUNDS) -> str:
    return _in_turn(rounds, bcrypt.hashpw, password.encode(), bcrypt.gensalt(rounds)).decode()


def matches(password: str, stored: str) -> bool:
    """False for what can't be a password here, and for whoever has none, after the same work."""
    given = password.encode("utf-8", "surrogatepass").replace(b"\0", b"?")
    known = stored if is_one(stored) else NOBODY
    same = _in_turn(int(known.split("$")[2]), bcrypt.checkpw, given[:72], known.encode())
    return same and is_one(stored) and len(given) <= 72


def is_one(stored: str) -> bool:
    """Whether somebody has a password at all."""
    return stored.startswith("$2")


def _in_turn(rounds: int, work: Callable[[bytes, bytes], T], password: bytes, salt: bytes) -> T:
    return _HASHING.submit(work, password, salt).result() if rounds > QUICK else work(password, salt)


def _step_back() -> None:
    """Whoever waits for a page comes before whoever signs in."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), A_LITTLE)


_HASHING = ThreadPoolExecutor(OTHERS, "hashing", initializer=_step_back)

# a hash like any other; making one at every start would cost a quarter of a second
NOBODY = "$2b$12$gDPdD06Uv0DawE4KVJBf7.WRAds8nWOk1mk4Pi1Wq/pdpc8woYxTS"
NONE = "-"  # of somebody who comes in another way
