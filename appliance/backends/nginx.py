"""The backend that uses the NGINX of this host: a URL is a file of its own, a deploy is a pointer swapped."""

from collections.abc import Mapping, Sequence

from appliance.backends import pointer
from appliance.backends.base import Backend, Log
from appliance.backends.builtin import probe_own, seen
from appliance.errors import HomeportError
from appliance.machine import served
from appliance.model.checks import Check
from appliance.model.sites import Probe, Release, Site
from appliance.nginx import checks, force, names, together
from appliance.nginx.template import SiteConf


class Nginx(Backend):
    name = "nginx"

    def publish(self, site: Site, release: Release, log: Log) -> None:
        """URLs first: a new one that NGINX refuses must not have changed what visitors get."""
        force.put(self.settings, {host: self._conf(site, host) for host in site.hosts}, log)
        pointer.swap(site, release)
        log(f"{site.project} {site.environment} points to release {release.name[:12]}; NGINX needs no reload for that")

    def unpublish(self, site: Site, previous: Release | None, log: Log) -> None:
        pointer.restore(site, previous)
        if previous is None:
            self._take_out(site, log)

    def withdraw(self, site: Site, log: Log) -> None:
        self._take_out(site, log)
        pointer.clear(site)

    def attach(self, site: Site, host: str, log: Log) -> None:
        force.put(self.settings, {host: self._conf(site, host)}, log)

    def detach(self, site: Site, host: str, log: Log) -> None:
        force.put(self.settings, {host: None}, log)

    def attach_many(self, those: Sequence[tuple[Site, str]], log: Log) -> Mapping[str, HomeportError]:
        return together.put_each(self.settings, {host: self._conf(site, host) for site, host in those}, log)

    def detach_many(self, those: Sequence[tuple[Site, str]], log: Log) -> Mapping[str, HomeportError]:
        return together.put_each(self.settings, {host: None for _, host in those}, log)

    def settle(self, sites: Sequence[Site], log: Log) -> frozenset[str]:
        """All in one reload, if any. What is not in force at all is not for here: nobody has looked whether it may."""
        wanted = {host: self._conf(site, host) for site in sites for host in site.hosts}
        standing = wanted.keys() & force.in_place(self.settings).keys()
        force.reconcile(self.settings, {host: wanted[host] for host in standing}, log)
        return frozenset(wanted.keys() - standing)

    def probe(self, site: Site, release: Release, previous: Release | None = None) -> list[Probe]:
        """Without a URL, Homeport itself shows the site."""
        if not site.hosts:
            return probe_own(self.settings, [site.address], release, previous)
        listen = self.settings.nginx_listen.split()[0]
        address = force.probe_address(listen)
        wanted = served.of_release(release.path, previous.path if previous else None)
        port = "" if address[1] == 80 else f":{address[1]}"
        return [seen(f"http://{host}{port}/", address, host, wanted) for host in site.hosts]

    def claims(self, host: str) -> str | None:
        return names.taken(self.settings, host)

    def checks(self) -> list[Check]:
        return checks.all_of(self.settings)

    def _conf(self, site: Site, host: str) -> SiteConf:
        return SiteConf(host, site.pointer, tuple(self.settings.nginx_listen.split()))

    def _take_out(self, site: Site, log: Log) -> None:
        """Every URL that leads to this site, known by name or by what its file says."""
        leading = {host for host, conf in force.in_force(self.settings).items() if conf.root == site.pointer}
        force.put(self.settings, dict.fromkeys(leading | set(site.hosts)), log)
