"""The time, in one form everywhere: RFC 3339, UTC, milliseconds."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parse(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """Twenty letters and digits that sort by time; a valid DNS label."""
    value = (time.time_ns() // 1_000) << 48 | int.from_bytes(os.urandom(6))
    return "".join(ALPHABET[value >> shift & 31] for shift in range(95, -5, -5))
