"""Looking again now and then at something elsewhere that takes its time."""

import time
from collections.abc import Iterator


def seconds(first: float = 0.2, most: float = 3.0) -> Iterator[None]:
    """At once, then ever less often."""
    pause = first
    while True:
        yield
        time.sleep(pause)
        pause = min(pause * 1.5, most)
