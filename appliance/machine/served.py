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
from appliance.machine import manifest_file
from appliance.machine.http import look
from appliance.model import serving
from appliance.model.answers import Answers, Asked, Outcome
from appliance.model.fronts import Front
from appliance.model.manifests import Manifest, etag
from appliance.model.rules import Guard, Rules

MOST_BODY = 8 << 20
CHANGED, KEPT, GONE = 6, 2, 2  # how many files of each sort one look takes in
Address = tuple[str, int]
_OWN_PAGE = hashlib.sha256(serving.NOT_FOUND.encode()).hexdigest()
Files = Manifest


@dataclass(frozen=True)
class Expected:
    """What one path has to answer."""

    path: str
    status: int
    etag: str | None = None
    sha256: str | None = None  # of the body, where the body is worth reading
    location: str | None = None

    def amiss(self, address: Address, host: str, *, secure: bool = False) -> str | None:
        """What is wrong with the answer, in words; None when it is as it should be."""
        method = "HEAD" if self.sha256 is None else "GET"
        try:
            answer = look(address, named(host), self.path, method=method, most=MOST_BODY, secure=secure)
        except RemoteFailed as why:
            return why.detail.rstrip(".")
        if answer.status != self.status:
            return f"{self.path} answers {answer.status} instead of {self.status}"
        if self.etag is not None and answer.headers.get("etag") != self.etag:
            return f"{self.path} is another file than the one on the disk"
        if self.location is not None and answer.headers.get("location") != self.location:
            return f"{self.path} leads elsewhere than to {self.location}"
        if self.sha256 is not None and hashlib.sha256(answer.body).hexdigest() != self.sha256:
            return f"{self.path} has other bytes than the file on the disk"
        return None


def of_release(
    release: Path, previous: Path | None = None, rules: Rules | None = None, guard: Guard | None = None
) -> list[Expected]:
    """What tells a release apart: its front page, then files that differ from the previous one, then others."""
    if guard and (stands := before_all(guard)):
        return [stands]
    here, before = _manifest(release), _manifest(previous) if previous else {}
    if not here:
        return [at_a_glance(release, rules)]
    answers = Answers(rules or _by_files("200.html" in here))
    found = [_expected("/", here, answers, read=True)]
    differ = (path for path in here if here[path] != before.get(path))
    same = (path for path in here if here[path] == before.get(path))
    gone = (path for path in before if path not in here and not _may_be_bridged(path, answers))
    for paths, most in ((differ, CHANGED), (same, KEPT), (gone, GONE)):
        found += [_expected(f"/{path}", here, answers) for path in _some(paths, most)]
    return found


def at_a_glance(root: Path, rules: Rules | None = None, guard: Guard | None = None) -> Expected:
    """The cheapest thing to ask of a site: its front page as it is on the disk now, or what stands in for it."""
    if guard and (stands := before_all(guard)):
        return stands
    answers = Answers(rules or _by_files((root / "200.html").is_file()))
    outcome = answers.to(Asked(b"/", b"/"), lambda name: (root / os.fsdecode(name)).is_file())
    if outcome.file is None:
        return _elsewhere("/", outcome)
    try:
        found = os.stat(root / os.fsdecode(outcome.file))
    except OSError:  # the pointer moved on between two looks
        return Expected("/", outcome.status)
    return Expected("/", outcome.status, etag=f'"{int(found.st_mtime):x}-{found.st_size:x}"')


def before_all(guard: Guard) -> Expected | None:
    """What answers in place of the site, whatever is asked for."""
    if guard.maintenance:
        return Expected("/", 503)
    return Expected("/", 401) if guard.password else None


def named(host: str) -> str:
    """One of the names that a wildcard takes in."""
    return host.replace("*", "homeport-looks")


def before_site(front: Front, address: Address, host: str, *, secure: bool = False) -> Expected | None:
    """What answers at one URL in place of its site, when asked from where we ask."""
    if not front.lets_in(address[0]):
        return Expected("/", 403)
    if front.redirect_to:
        _, colon, port = host.partition(":")
        there = f"{'https' if secure else 'http'}://{front.redirect_to}{colon}{port}/"
        return Expected("/", front.redirect_status, location=there)
    return None


def until(done: Callable[[], bool], patience: float, *, longest: float = 0.25) -> bool:
    """Ask again, ever less often, until it is so or patience ends."""
    deadline, pause = time.monotonic() + patience, 0.01
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, longest)
    return True


def steady(done: Callable[[], bool], patience: float, pause: float, *, longest: float = 0.25) -> bool:
    """Until it is so, and still is after a pause."""

    def twice() -> bool:
        if not done():
            return False
        time.sleep(pause)
        return done()

    return until(twice, patience, longest=longest)


def _expected(path: str, here: Files, answers: Answers, *, read: bool = False) -> Expected:
    """What the rules make of a path; where it is a file, `read` asks for its bytes too."""
    target = quote(path)
    outcome = answers.to(Asked(path.encode(), target.encode()), lambda name: name.decode("utf-8", "replace") in here)
    if outcome.file is None:
        return _elsewhere(target, outcome)
    shown = here[outcome.file.decode()]
    body = shown.sha256 if read and outcome.status == 200 and shown.size <= MOST_BODY else None
    return Expected(target, outcome.status, etag(shown.size, shown.sha256), body)


def _elsewhere(target: str, outcome: Outcome) -> Expected:
    if outcome.location is not None:
        return Expected(target, outcome.status, location=outcome.location.decode())
    return Expected(target, outcome.status, sha256=_OWN_PAGE)


def _by_files(single_page: bool) -> Rules:
    """Of what went live before rules were kept with deployments."""
    return Rules(fallback="200.html" if single_page else "")


def _may_be_bridged(path: str, answers: Answers) -> bool:
    return answers.rules.bridge and serving.is_fingerprinted(f"/{path}".encode())


def _some(paths: Iterator[str], most: int) -> Iterator[str]:
    visible = (path for path in paths if path.startswith(".well-known/") or not f"/{path}".count("/."))
    return islice(visible, most)


def _manifest(release: Path) -> Files:
    try:
        return manifest_file.read(release.with_name(f"{release.name}.json"))
    except FileNotFoundError:
        return {}
