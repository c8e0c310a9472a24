"""Which records a host name has, whose they are, and how they come to lead to a target."""

from dataclasses import replace
from typing import TYPE_CHECKING

from appliance.dns.base import Record, Target
from appliance.dns.cloudflare.refusals import EDIT_DNS, READ_ZONES, Clash, Gone
from appliance.dns.cloudflare.rows import Row, Zone
from appliance.errors import RemoteFailed

if TYPE_CHECKING:
    from appliance.dns.cloudflare.api import Api

COMMENT_MOST = 100  # what the free plan takes
SUFFIXES_MOST = 8
HOPS_MOST = 3


class Records:
    """The records that one appliance sees and makes with one token."""

    def __init__(self, api: "Api", instance_id: str) -> None:
        self.api = api
        self.instance_id = instance_id

    def point(self, host: str, wanted: Target, *, proxied: bool) -> Record:
        zone = self.zone(host)
        try:
            return self._point(zone, host, wanted, proxied)
        except (Clash, Gone):  # somebody made or deleted one between our look and our change
            return self._point(zone, host, wanted, proxied)

    def remove(self, host: str) -> bool:
        zone = self.zone(host)
        deleted = [self.api.delete(zone, row) for row in self.api.rows(zone, host) if self._is_ours(row)]
        return any(deleted)

    def zone(self, host: str) -> Zone:
        """The zone with the longest name that holds this host."""
        zone = self._find(host)
        if zone:
            return zone
        names = suffixes(host)
        where = names[-1] if names else host
        raise RemoteFailed(
            f"This Cloudflare token can read no zone for {host}. Looked for: {', '.join(names) or 'none'}.",
            permanent=True,
            code="no_zone",
            todo=(
                f"In Cloudflare, add {READ_ZONES} and {EDIT_DNS} for {where} to this token.",
                "If the zone is kept elsewhere, make the record there by hand.",
            ),
        )

    def _find(self, host: str) -> Zone | None:
        return next((zone for zone in map(self.api.zone, suffixes(host)) if zone), None)

    def _point(self, zone: Zone, host: str, wanted: Target, proxied: bool) -> Record:
        rows = self.api.rows(zone, host)
        if wanted.content == host:
            return self._itself(host, rows)
        ours = [row for row in rows if self._is_ours(row)]
        accepted = self._accepted(wanted, [row for row in rows if row not in ours], ours)
        if accepted:
            for row in ours:
                if not self._leads(row, wanted):
                    self.api.delete(zone, row)
            return self._record(accepted)
        row = Row("", host, wanted.type, wanted.content, proxied, self._mark(host))
        self._make(zone, row, ours)
        return self._record(row)

    def _accepted(self, wanted: Target, theirs: list[Row], ours: list[Row]) -> Row | None:
        """The record made by hand that leads to the target already. One that leads elsewhere is left alone, out loud.

        An address of the other family may stand beside one that leads here: it may well be this host's too.
        """
        here = [row for row in theirs if self._leads(row, wanted)]
        kind = here[0].type if here else wanted.type
        for row in theirs:
            beside = "CNAME" not in (row.type, kind) and row.type != kind and (here or ours)
            if row not in here and not beside:
                raise _elsewhere(row, wanted)
        return here[0] if here else None

    def _make(self, zone: Zone, row: Row, ours: list[Row]) -> None:
        """Bring our records for a host name to this one: nothing, an edit, an exchange, or a new record."""
        same = [each for each in ours if _alike(each, row)]
        if same:
            for each in ours:
                if each is not same[0]:
                    self.api.delete(zone, each)
        elif [each.type for each in ours] == [row.type]:
            self.api.edit(zone, replace(row, id=ours[0].id))
        elif ours:
            self.api.exchange(zone, ours, row)
        else:
            self.api.create(zone, row)

    def _itself(self, host: str, rows: list[Row]) -> Record:
        if rows:
            return self._record(rows[0])
        raise RemoteFailed(
            f"Records point to {host}, so {host} can't be made to point to itself.",
            permanent=True,
            code="dns_loop",
            todo=(f"Make a record for {host} by hand, or let records point to an address.",),
        )

    def _leads(self, row: Row, wanted: Target) -> bool:
        if (row.type, row.content) == (wanted.type, wanted.content):
            return True
        if "CNAME" not in (row.type, wanted.type):
            return False
        return not self._ends(row.type, row.content).isdisjoint(self._ends(wanted.type, wanted.content))

    def _ends(self, type: str, content: str, hops: int = HOPS_MOST) -> set[tuple[str, str]]:
        """Where this ends up, following names as far as the token can see: `www` is often a CNAME of the bare name."""
        ends = {(type, content)}
        zone = self._find(content) if type == "CNAME" and hops else None
        for row in self.api.rows(zone, content) if zone else ():
            ends |= self._ends(row.type, row.content, hops - 1)
        return ends

    def _mark(self, host: str) -> str:
        """The comment of a record that this appliance made. One renamed or noted on by hand is no longer ours."""
        return f"Homeport {self.instance_id}: {host}"[:COMMENT_MOST]

    def _is_ours(self, row: Row) -> bool:
        return row.comment == self._mark(row.host)

    def _record(self, row: Row) -> Record:
        return Record(row.host, row.type, row.content, self._is_ours(row), row.proxied)


def suffixes(host: str) -> list[str]:
    """The names that may be the zone of a host, longest first; a zone has at least two labels."""
    labels = host.removeprefix("*.").split(".")
    return [".".join(labels[at:]) for at in range(len(labels) - 1)][-SUFFIXES_MOST:]


def _alike(one: Row, other: Row) -> bool:
    """The TTL may be tuned by hand."""
    return (one.type, one.content, one.proxied) == (other.type, other.content, other.proxied)


def _elsewhere(row: Row, wanted: Target) -> RemoteFailed:
    return RemoteFailed(
        f"{row.host} points to {row.content}, not to this host. "
        "That record was not made by Homeport, so it was left alone.",
        permanent=True,
        code="points_elsewhere",
        todo=(f"Change it to {wanted.type} {wanted.content} where it is kept, then check again.",),
    )
