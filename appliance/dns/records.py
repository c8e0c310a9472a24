"""Which records a host name has, whose they are, and how they come to lead to a target: the same everywhere."""

from appliance.dns.base import Record, Target
from appliance.dns.plan import pointing, removing
from appliance.dns.rows import TTL, Overtaken, Row, Zone
from appliance.dns.zones import Zones
from appliance.errors import RemoteFailed

MARK_MOST = 100  # what Cloudflare's free plan takes as a comment
HOPS_MOST = 3


class Records:
    """The records that one appliance sees and makes at one provider."""

    def __init__(self, zones: Zones, instance_id: str, ttl: int = TTL) -> None:
        self.zones = zones
        self.instance_id = instance_id
        self.ttl = ttl

    def point(self, host: str, wanted: Target, *, proxied: bool) -> Record:
        zone = self.zone(host)
        try:
            return self._point(zone, host, wanted, proxied)
        except Overtaken:
            return self._point(zone, host, wanted, proxied)

    def remove(self, host: str) -> bool:
        zone = self.zone(host)
        try:
            return self._remove(zone, host)
        except Overtaken:
            return self._remove(zone, host)

    def ours(self, known: tuple[str, ...]) -> list[Record]:
        """Every record with our mark."""
        rows = self.zones.marked(f"Homeport {self.instance_id}: ", known)
        return [self._record(row) for row in sorted(rows, key=lambda row: row.host) if self._is_ours(row)]

    def set_txt(self, name: str, value: str) -> None:
        zone = self.zone(name)
        try:
            self.zones.add_txt(zone, name, value, self._mark(name))
        except Overtaken:
            self.zones.add_txt(zone, name, value, self._mark(name))

    def remove_txt(self, name: str, value: str) -> None:
        zone = self.zone(name)
        try:
            self.zones.drop_txt(zone, name, value, self._mark(name))
        except Overtaken:
            self.zones.drop_txt(zone, name, value, self._mark(name))

    def zone(self, host: str) -> Zone:
        zone = self.zones.find(host)
        if zone is None:
            raise self.zones.lacking(host)
        return zone

    def _point(self, zone: Zone, host: str, wanted: Target, proxied: bool) -> Record:
        rows = self.zones.rows(zone, host)
        if wanted.content == host:
            return self._itself(host, rows)
        ours = [row for row in rows if self._is_ours(row)]
        theirs = [row for row in rows if row.there and row not in ours]
        accepted = self._accepted(wanted, theirs, ours)
        row = Row("", host, wanted.type, wanted.content, proxied, self._mark(host), self.ttl)
        plan = pointing(row, ours, accepted, lambda one: self._leads(one, wanted)).checked()
        if plan.changes_anything:
            self.zones.apply(zone, plan)
        return self._record(accepted or row)

    def _remove(self, zone: Zone, host: str) -> bool:
        ours = [row for row in self.zones.rows(zone, host) if self._is_ours(row)]
        if ours:
            self.zones.apply(zone, removing(host, ours).checked())
        return any(row.there for row in ours)

    def _accepted(self, wanted: Target, theirs: list[Row], ours: list[Row]) -> Row | None:
        """The record made by hand that leads to the target already. One that leads elsewhere is left alone, out loud.

        An address of the other family may stand beside one that leads here: it may well be this host's too.
        """
        here = [row for row in theirs if self._leads(row, wanted)]
        kind = here[0].type if here else wanted.type
        for row in theirs:
            beside = "CNAME" not in (row.type, kind) and row.type != kind and (here or any(one.there for one in ours))
            if row not in here and not beside:
                raise _elsewhere(row, wanted)
        return here[0] if here else None

    def _itself(self, host: str, rows: list[Row]) -> Record:
        there = [row for row in rows if row.there]
        if there:
            return self._record(there[0])
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
        """Where this ends up, following names as far as can be seen: `www` is often a CNAME of the bare name."""
        ends = {(type, content)}
        zone = self.zones.find(content) if type == "CNAME" and hops else None
        for row in self.zones.rows(zone, content) if zone else ():
            if row.there:
                ends |= self._ends(row.type, row.content, hops - 1)
        return ends

    def _mark(self, host: str) -> str:
        """What a record bears that this appliance made. One renamed or noted on by hand is no longer ours."""
        return f"Homeport {self.instance_id}: {host}"[:MARK_MOST]

    def _is_ours(self, row: Row) -> bool:
        return row.mark == self._mark(row.host)

    def _record(self, row: Row) -> Record:
        return Record(row.host, row.type, row.content, self._is_ours(row), row.proxied, row.there)


def _elsewhere(row: Row, wanted: Target) -> RemoteFailed:
    return RemoteFailed(
        f"{row.host} points to {row.content}, not to this host. "
        "That record was not made by Homeport, so it was left alone.",
        permanent=True,
        code="points_elsewhere",
        todo=(f"Change it to {wanted.type} {wanted.content} where it is kept, then check again.",),
    )
