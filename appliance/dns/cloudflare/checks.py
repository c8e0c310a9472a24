"""What the Test button finds out about a token, without changing anything."""

from typing import TYPE_CHECKING

from appliance.dns.cloudflare.refusals import EDIT_DNS, READ_ZONES, BadToken, NotPermitted
from appliance.dns.rows import Zone, suffixes
from appliance.errors import RemoteFailed
from appliance.model.checks import Check

if TYPE_CHECKING:
    from appliance.dns.cloudflare.api import Api

ZONES_SHOWN = 5


class Checks:
    """One run: each finding is kept as it comes, so that it stands when a later request fails."""

    def __init__(self, api: "Api") -> None:
        self._api = api
        self._done: list[Check] = []

    def run(self, hosts: tuple[str, ...]) -> list[Check]:
        try:
            self._done.append(self._token())
            if self._done[0].status != "failed":
                self._zones(hosts)
        except RemoteFailed as why:
            self._done.append(_failed("dns.cloudflare", why))
        return self._done

    def _token(self) -> Check:
        try:
            status, until = self._api.token_status()
        except (BadToken, NotPermitted) as why:
            return self._account_token(why)
        if status != "active":
            mend = "Make it active again in Cloudflare, or make a new one and save it here."
            return Check("dns.token", "failed", f"The Cloudflare token is {status}.", mend)
        return Check("dns.token", "ok", f"The token is active{f' until {until[:10]}' if until else ''}.")

    def _account_token(self, unknown: RemoteFailed) -> Check:
        """A token that belongs to an account, not to a person, is unknown to the verify call but works."""
        try:
            self._api.zones()
        except BadToken:
            return _failed("dns.token", unknown)
        except NotPermitted as why:
            return _failed("dns.token", why)
        return Check("dns.token", "ok", "Cloudflare accepts the token; it doesn't say until when.")

    def _zones(self, hosts: tuple[str, ...]) -> None:
        readable = {zone.name: zone for zone in self._readable()}
        ours, lost = self._zones_of(hosts, readable)
        self._done += [_reading(list((readable | ours).values())), *lost]
        for zone in ours.values() if hosts else list(readable.values())[:ZONES_SHOWN]:
            self._done.append(self._editing(zone, needed=bool(hosts)))
            if zone.status != "active":
                self._done.append(_inactive(zone))

    def _readable(self) -> list[Zone]:
        """Where two accounts have a zone of one name, the active one comes last.

        A token for some zones only may be refused the list, and still read each by its name.
        """
        try:
            return sorted(self._api.zones(), key=lambda zone: zone.status == "active")
        except NotPermitted:
            return []

    def _zones_of(self, hosts: tuple[str, ...], readable: dict[str, Zone]) -> tuple[dict[str, Zone], list[Check]]:
        ours: dict[str, Zone] = {}
        lost: list[Check] = []
        for host in hosts:
            known = next((readable[name] for name in suffixes(host) if name in readable), None)
            try:
                zone = known or self._api.find(host)
                if zone is None:
                    raise self._api.lacking(host)
                ours[zone.name] = zone
            except RemoteFailed as why:
                if not why.permanent:
                    raise
                lost.append(_failed(f"dns.zone.{host}", why))
        return ours, lost

    def _editing(self, zone: Zone, *, needed: bool) -> Check:
        name = f"dns.edit.{zone.name}"
        may = self._api.may_edit(zone)
        if may:
            return Check(name, "ok", f"The token may edit DNS in {zone.name}.")
        if may is None:
            return Check(
                name, "warn", f"Whether the token may edit DNS in {zone.name} can't be known before a record is made."
            )
        mend = f"In Cloudflare, add {EDIT_DNS} for {zone.name} to this token, then test again."
        return Check(name, "failed" if needed else "warn", f"The token may not edit DNS in {zone.name}.", mend)


def _reading(zones: list[Zone]) -> Check:
    if not zones:
        mend = f"In Cloudflare, add {READ_ZONES} and {EDIT_DNS} for your zones to this token."
        return Check("dns.zones", "failed", "The token may read no zone.", mend)
    names = ", ".join(zone.name for zone in zones[:ZONES_SHOWN]) + (" and more" if len(zones) > ZONES_SHOWN else "")
    count = "1 zone" if len(zones) == 1 else f"{len(zones)} zones"
    return Check("dns.zones", "ok", f"The token may read {count}: {names}.")


def _inactive(zone: Zone) -> Check:
    text = f"{zone.name} is {zone.status or 'not active'} at Cloudflare: nobody sees its records yet."
    return Check(f"dns.zone.{zone.name}", "warn", text, "Set Cloudflare's name servers at your registrar.")


def _failed(name: str, why: RemoteFailed) -> Check:
    return Check(name, "failed", why.detail, " ".join(why.todo))
