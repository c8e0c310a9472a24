"""What every backend is: a handful of finished public methods over a few verbs of its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from appliance.errors import HomeportError
from appliance.model.checks import Check
from appliance.model.edits import Edit
from appliance.model.sites import Probe, Release, Site
from appliance.settings import Settings

Log = Callable[[str], None]  # a line for the deployment's log; raises Cancelled when someone asked to stop


class Backend(ABC):
    """Runs environments. Every call is safe to repeat; one that fails leaves what was live as it was."""

    name: ClassVar[str]
    SUPPORTS: ClassVar[frozenset[str]] = frozenset({"publish", "withdraw"})

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def publish(self, site: Site, release: Release, log: Log) -> None:
        """Make visitors of the site get this release, and put its URLs in force."""

    @abstractmethod
    def unpublish(self, site: Site, previous: Release | None, log: Log) -> None:
        """Take the last publish back: visitors get the previous release again, or nothing."""

    @abstractmethod
    def withdraw(self, site: Site, log: Log) -> None:
        """Stop serving the site altogether, its URLs included."""

    @abstractmethod
    def attach(self, site: Site, host: str, log: Log) -> None:
        """Put one URL in force for a site that is live."""

    @abstractmethod
    def detach(self, site: Site, host: str, log: Log) -> None:
        """Take one URL out of force."""

    def attach_many(self, those: Sequence[tuple[Site, str]], log: Log) -> Mapping[str, HomeportError]:
        """Put URLs in force, each for its site; says which were refused, each with why."""
        return _each(self.attach, those, log)

    def detach_many(self, those: Sequence[tuple[Site, str]], log: Log) -> Mapping[str, HomeportError]:
        """Take URLs out of force; says which still are, each with why."""
        return _each(self.detach, those, log)

    def settle(self, sites: Sequence[Site], log: Log) -> frozenset[str]:
        """No URL in force but those of these sites, each leading to its site; says which of them are not in force."""
        return frozenset()

    def edits(self, sites: Sequence[Site]) -> Sequence[Edit]:
        """What someone changed by hand in what these sites are served by."""
        return ()

    def restore(self, site: Site, host: str, log: Log) -> None:
        """Put one URL in force as Homeport makes it, over an edit."""
        self.attach(site, host, log)

    def test(self) -> None:  # noqa: B027 - most have nothing that a start could fail over
        """Have what serves URLs look at all that it would start with; HostFailed with its own words if it says no."""

    @abstractmethod
    def probe(self, site: Site, release: Release, previous: Release | None = None) -> list[Probe]:
        """Look at every address of the site, as a visitor would, for what sets this release apart from the previous."""

    @abstractmethod
    def claims(self, host: str) -> str | None:
        """Who else on this host has this host name or its file, in words; None when it is free."""

    @abstractmethod
    def checks(self) -> list[Check]:
        """What is and isn't in order for this backend."""


def _each(
    do: Callable[[Site, str, Log], None], those: Sequence[tuple[Site, str]], log: Log
) -> dict[str, HomeportError]:
    """One after the other, for a backend that has no better way."""
    refused = {}
    for site, host in those:
        try:
            do(site, host, log)
        except HomeportError as why:
            refused[host] = why
    return refused
