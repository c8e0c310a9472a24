"""Whether what a server sends is what lies on the disk. Nothing is put into a release to find out."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from appliance.errors import RemoteFailed
from appliance.machine.http import look
from appliance.model import manifests, serving
from appliance.model.manifests import Piece, etag

MOST_BODY = 8 << 20
CHANGED, KEPT, GONE = 6, 2, 2  # how many files of each sort one look takes in
Address = tuple[str, int]
_OWN_PAGE = hashlib.sha256(serving.NOT_FOUND.encode()).hexdigest()
Files = dict[str, Piece]


@dataclass(frozen=True)
class Expected:
    """What one path has to answer."""

    path: str
    status: int
    etag: str | None = None
    sha256: str | None = None  # of the body, where the body is worth reading

    def amiss(self, address: Address, host: str) -> str | None:
        """What is wrong with the answer, in words; None when it is as it should be."""
        try:
            answer = look(address, host, self.path, method="HEAD" if self.sha256 is None else "GET", most=MOST_BODY)
        except RemoteFailed as why:
            return why.detail.rstrip(".")
        if answer.status != self.status:
            return f"{self.path} answers {answer.status} instead of {self.status}"
        if self.etag is not None and answer.headers.get("etag") != self.etag:
            return f"{self.path} is another file than the one on the disk"
        if self.sha256 is not None and hashlib.sha256(answer.body).hexdigest() != self.sha256:
            return f"{self.path} has other bytes than the file on the disk"
        return None


def of_release(release: Path, previous: Path | None = None) -> list[Expected]:
    """What tells a release apart: its front page, then files that differ from the previous one, then others."""
    here, before = _manifest(release), _manifest(previous) if previous else {}
    if not here:
        return [at_a_glance(release)]
    found = [_front(here)]
    differ = (path for path in here if here[path] != before.get(path))
    same = (path for path in here if here[path] == before.get(path))
    found += [_file(path, here) for path in _some(differ, CHANGED)]
    found += [_file(path, here) for path in _some(same, KEPT)]
    gone = (path for path in before if path not in here and not _is_folder(path, here))
    found += [_missing(f"/{quote(path)}", here) for path in _some(gone, GONE)]
    return found


def at_a_glance(root: Path) -> Expected:
    """The cheapest thing to ask of a site: its front page as it is on the disk now, or what stands in for it."""
    for name, status in (("index.html", 200), ("200.html", 200), ("404.html", 404)):
        try:
            found = os.stat(root / name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        return Expected("/", status, etag=f'"{int(found.st_mtime):x}-{found.st_size:x}"')
    return Expected("/", 404, sha256=_OWN_PAGE)


def until(done: Callable[[], bool], patience: float) -> bool:
    """Ask again, ever less often, until it is so or patience ends."""
    deadline, pause = time.monotonic() + patience, 0.01
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    return True


def steady(done: Callable[[], bool], patience: float, pause: float) -> bool:
    """Until it is so, and still is after a pause."""

    def twice() -> bool:
        if not done():
            return False
        time.sleep(pause)
        return done()

    return until(twice, patience)


def _front(here: Files) -> Expected:
    if "index.html" not in here:
        return _missing("/", here)
    front = here["index.html"]
    return Expected("/", 200, etag(front.size, front.sha256), front.sha256 if front.size <= MOST_BODY else None)


def _file(path: str, here: Files) -> Expected:
    return Expected(f"/{quote(path)}", 200, etag(here[path].size, here[path].sha256))


def _missing(path: str, here: Files) -> Expected:
    for name, status in (("200.html", 200), ("404.html", 404)):
        if name in here:
            return Expected(path, status, etag(here[name].size, here[name].sha256))
    return Expected(path, 404, sha256=_OWN_PAGE)


def _some(paths: Iterator[str], most: int) -> Iterator[str]:
    visible = (path for path in paths if path.startswith(".well-known/") or not f"/{path}".count("/."))
    return islice(visible, most)


def _is_folder(path: str, here: Files) -> bool:
    return any(other.startswith(f"{path}/") for other in here)


def _manifest(release: Path) -> Files:
    try:
        return manifests.read(release.with_name(f"{release.name}.json").read_bytes())
    except FileNotFoundError:
        return {}
