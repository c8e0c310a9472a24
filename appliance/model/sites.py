"""A site: what a backend needs to know of an environment, and the release that it serves."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Release:
    """The immutable directory that a bundle became."""

    name: str
    path: Path


@dataclass(frozen=True)
class Site:
    """An environment as a backend sees it."""

    project: str
    environment: str
    pointer: Path  # the symlink that says which release is live
    hosts: tuple[str, ...]  # the URLs that should be in force
    address: str  # where it answers without a URL, such as http://blog.localhost:8420/


@dataclass(frozen=True)
class Probe:
    """What one look at one address found."""

    url: str
    ok: bool
    detail: str
