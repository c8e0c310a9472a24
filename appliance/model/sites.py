"""A site: what a backend needs to know of an environment, and the release that it serves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.model.certificates import Https
from appliance.model.fronts import Front
from appliance.model.rules import Guard, Rules


@dataclass(frozen=True)
class Release:
    """The immutable directory that a bundle became, with the rules that its deployment froze."""

    name: str  # made from its files: the same files are the same release
    path: Path
    rules: Rules = Rules()


@dataclass(frozen=True)
class Site:
    """An environment as a backend sees it."""

    project: str
    environment: str
    pointer: Path  # the symlink that leads to the live release, by way of one named after its rules
    hosts: tuple[str, ...]  # the URLs that should be in force
    address: str  # where it answers without a URL, such as http://blog.localhost:8420/
    guard: Guard = Guard()
    kept: frozenset[str] = frozenset()  # URLs whose file someone edited by hand, and said that it stays so
    earlier: Path | None = None  # where fingerprinted files of earlier releases are, by their paths
    rules: Rules = Rules()  # by which its live release answers
    https: Mapping[str, Https] = field(default_factory=dict)  # by host, those that have a certificate
    challenged: frozenset[str] = frozenset()  # hosts where an ACME server may look
    fronts: Mapping[str, Front] = field(default_factory=dict)  # by host, what stands before its URL alone

    def front(self, host: str) -> Front:
        return self.fronts.get(host) or Front()

    def guard_of(self, host: str) -> Guard:
        """What stands before one URL."""
        return self.front(host).guard(self.guard)


@dataclass(frozen=True)
class Probe:
    """What one look at one address found."""

    url: str
    ok: bool
    detail: str
