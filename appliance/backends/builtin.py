"""The backend without anything else installed: Homeport itself serves what the pointer leads to."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from appliance.backends import pointer
from appliance.backends.base import Backend, Log
from appliance.machine import served
from appliance.model.checks import Check
from appliance.model.rules import Guard
from appliance.model.sites import Probe, Release, Site
from appliance.settings import Settings

ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class Builtin(Backend):
    name = "builtin"

    def publish(self, site: Site, release: Release, log: Log) -> None:
        pointer.swap(site, release)
        log(f"{site.project} {site.environment} points to release {release.name[:12]}")

    def unpublish(self, site: Site, previous: Release | None, log: Log) -> None:
        pointer.restore(site, previous)

    def withdraw(self, site: Site, log: Log) -> None:
        pointer.clear(site)

    def attach(self, site: Site, host: str, log: Log) -> None:
        """Nothing to do: Homeport finds the site by the Host header."""

    def detach(self, site: Site, host: str, log: Log) -> None:
        """Nothing to do."""

    def probe(self, site: Site, release: Release, previous: Release | None = None) -> list[Probe]:
        own = urlsplit(site.address)
        port = f":{own.port}" if own.port else ""
        urls = [site.address, *(f"http://{host}{port}/" for host in site.hosts)]
        return probe_own(self.settings, urls, release, previous, site)

    def claims(self, host: str) -> str | None:
        return None

    def checks(self) -> list[Check]:
        return [Check("builtin", "ok", f"Homeport serves sites itself on port {self.settings.port}.")]


@dataclass
class Looks:
    """What each host of a site has to answer, worked out once for all that answer alike."""

    site: Site
    release: Release
    previous: Release | None
    _known: dict[Guard, list[served.Expected]] = field(default_factory=dict)

    def at(self, netloc: str, address: served.Address, *, secure: bool = False) -> list[served.Expected]:
        host = netloc.partition(":")[0]
        if before := served.before_site(self.site.front(host), address, netloc, secure=secure):
            return [before]
        guard = self.site.guard_of(host)
        if guard not in self._known:
            before_that = self.previous.path if self.previous else None
            self._known[guard] = served.of_release(self.release.path, before_that, self.release.rules, guard)
        return self._known[guard]


def probe_own(
    settings: Settings, urls: list[str], release: Release, previous: Release | None, site: Site
) -> list[Probe]:
    """Look at URLs that Homeport itself answers for."""
    address = ANYWHERE.get(settings.host, settings.host), settings.port
    looks = Looks(site, release, previous)
    return [seen(url, address, urlsplit(url).netloc, looks.at(urlsplit(url).netloc, address)) for url in urls]


def seen(url: str, address: served.Address, host: str, wanted: list[served.Expected], *, secure: bool = False) -> Probe:
    """One look at one URL."""
    for one in wanted:
        if wrong := one.amiss(address, host, secure=secure):
            return Probe(url, False, wrong)
    return Probe(url, True, f"answers with this release ({len(wanted)} {'file' if len(wanted) == 1 else 'files'} seen)")
