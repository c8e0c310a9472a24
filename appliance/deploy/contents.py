"""What a bundle holds: read when it is taken, and remembered until it is unpacked a moment later."""

import threading
from pathlib import Path

from appliance.machine import archive

KEPT = 4
MOST_FILES = 20_000  # of larger ones the list is read again: memory is worth more than the time
_LOCK = threading.Lock()
_lately: dict[str, archive.Contents] = {}


def take(path: Path, sha256: str, limits: archive.Limits) -> archive.Contents:
    """Judge a bundle that has just arrived."""
    found = archive.inspect(path, limits)
    if found.files <= MOST_FILES:
        with _LOCK:
            while len(_lately) >= KEPT:
                del _lately[next(iter(_lately))]
            _lately[sha256] = found
    return found


def of_bundle(path: Path, sha256: str, limits: archive.Limits) -> archive.Contents:
    """The same for one that is kept here."""
    with _LOCK:
        known = _lately.pop(sha256, None)
    return known or archive.inspect(path, limits)
