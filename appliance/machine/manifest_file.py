"""The manifests of releases, remembered while a deployment asks for them again and again."""

import threading
from pathlib import Path

from appliance.model import manifests
from appliance.model.manifests import Manifest

KEPT = 4
MOST_FILES = 20_000  # larger ones are read each time: memory is worth more than the time
_LOCK = threading.Lock()
_lately: dict[Path, tuple[int, Manifest]] = {}


def read(path: Path) -> Manifest:
    """FileNotFoundError where there is none any more."""
    made = path.stat().st_mtime_ns
    with _LOCK:
        known = _lately.get(path)
    if known and known[0] == made:
        return known[1]
    found = manifests.read(path.read_bytes())
    _remember(path, made, found)
    return found


def written(path: Path, manifest: Manifest) -> None:
    """This is what was just written there."""
    _remember(path, path.stat().st_mtime_ns, manifest)


def _remember(path: Path, made: int, manifest: Manifest) -> None:
    if len(manifest) > MOST_FILES:
        return
    with _LOCK:
        _lately.pop(path, None)
        while len(_lately) >= KEPT:
            del _lately[next(iter(_lately))]
        _lately[path] = (made, manifest)
