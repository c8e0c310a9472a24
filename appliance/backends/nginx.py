"""The backend that uses the NGINX of this host: a URL is a file of its own, a deploy is a pointer swapped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from appliance.backends import pointer
from appliance.backends.base import Backend, Log
from appliance.backends.builtin import Looks, probe_own, seen
from appliance.errors import HomeportError
from appliance.model.checks import Check
from appliance.model.edits import Edit
from appliance.model.fronts import network
from appliance.model.rules import Rules
from appliance.model.sites import Probe, Release, Site
from appliance.nginx import checks, edits, force, http2, modules, names, together
from appliance.nginx.hands import hands_for
from appliance.nginx.template import SiteConf
from appliance.settings import Settings


class Nginx(Backend):
    name = "nginx"

    def publish(self, site: Site, release: Release, log: Log) -> None:
        """URLs first: a new one that NGINX refuses must not have changed what visitors get.

        With other rules, the files for NGINX name a new way to the new release, so old rules never meet new files.
        """
        pointer.forget_others(site, release)
        same = pointer.leads(site, release.rules)
        if not same:
            pointer.prepare(site, release)
        reloaded = force.put(self.settings, self._confs(site, release), log)
        pointer.prepare(site, release)
        pointer.lead(site, release)
        said = "; NGINX needs no reload for that" if same and not reloaded else ""
        log(f"{site.project} {site.environment} points to release {release.name[:12]}{said}")

    def unpublish(self, site: Site, previous: Release | None, log: Log) -> None:
        """The files for NGINX follow the pointer, or they would lead to what is taken back."""
        if previous is None:
            pointer.clear(site)
            self._take_out(site, log)
            return
        pointer.prepare(site, previous)
        force.put(self.settings, self._confs(site, previous), log)
        pointer.lead(site, previous)

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
        kept = {host for site in sites for host in site.kept}
        force.reconcile(self.settings, {host: wanted[host] for host in standing}, log, kept=kept)
        return frozenset(wanted.keys() - standing)

    def edits(self, sites: Sequence[Site]) -> Sequence[Edit]:
        return edits.find(self.settings, {host: self._conf(site, host) for site in sites for host in site.hosts})

    def restore(self, site: Site, host: str, log: Log) -> None:
        force.restore(self.settings, {host: self._conf(site, host)}, log)

    def test(self) -> None:
        hands_for(self.settings).test({})

    def probe(self, site: Site, release: Release, previous: Release | None = None) -> list[Probe]:
        """Without a URL, Homeport itself shows the site."""
        hosts = [host for host in site.hosts if not force.edited(self.settings, host)]  # an edit may answer otherwise
        if not hosts:
            return probe_own(self.settings, [site.address], release, previous, site)
        looks = Looks(site, release, previous)
        return [self._seen(site, host, looks) for host in hosts]

    def claims(self, host: str) -> str | None:
        return names.taken(self.settings, host)

    def checks(self) -> list[Check]:
        return checks.all_of(self.settings)

    def _seen(self, site: Site, host: str, looks: Looks) -> Probe:
        """By HTTPS where that is spoken: HTTP may only lead there."""
        secure = host in site.https
        listen = self.settings.nginx_listen_tls if secure else self.settings.nginx_listen
        address = force.probe_address(listen.split()[0])
        port = "" if address[1] == (443 if secure else 80) else f":{address[1]}"
        url = f"{'https' if secure else 'http'}://{host}{port}/"
        return seen(url, address, host, looks.at(host, address, secure=secure), secure=secure)

    def _conf(self, site: Site, host: str) -> SiteConf:
        """One URL of what is live."""
        return self._filled(site, host, pointer.shown(site), site.rules)

    def _confs(self, site: Site, release: Release) -> dict[str, SiteConf]:
        """Every URL, for a release that is about to be live."""
        root = pointer.inner(site, release.rules)
        return {host: self._filled(site, host, root, release.rules) for host in site.hosts}

    def _filled(self, site: Site, host: str, root: Path, rules: Rules) -> SiteConf:
        front = site.front(host)
        https = site.https.get(host)
        return SiteConf(
            host=host,
            root=root,
            listen=tuple(self.settings.nginx_listen.split()),
            rules=rules,
            guard=site.guard_of(host),
            earlier=site.earlier if rules.bridge else None,
            modules=modules.loaded(self.settings),
            front=replace(front, user="", password=""),
            proxies=_proxies(self.settings) if front.allow else (),
            https=https,
            listen_tls=tuple(self.settings.nginx_listen_tls.split()) if https else (),
            http2=http2.form(self.settings) if https else "",
            challenges=host in site.challenged,
        )

    def _take_out(self, site: Site, log: Log) -> None:
        """Every URL that leads to this site, known by name or by what its file says."""
        leading = {host for host, conf in force.in_force(self.settings).items() if pointer.is_way(site, conf.root)}
        force.put(self.settings, dict.fromkeys(leading | set(site.hosts)), log)


def _proxies(settings: Settings) -> tuple[str, ...]:
    """Those whose word is believed when Homeport itself answers."""
    return tuple(dict.fromkeys(map(network, settings.trusted_proxies.replace(",", " ").split())))
