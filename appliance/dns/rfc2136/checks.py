"""What the Test button finds out about a name server and a key, without changing anything."""

from appliance.dns.rfc2136.updates import Updates
from appliance.dns.rows import Zone
from appliance.errors import RemoteFailed
from appliance.model.checks import Check


def run(updates: Updates, hosts: tuple[str, ...]) -> list[Check]:
    try:
        updates.ask(".", "SOA")
        zones = {host: updates.find(host) for host in hosts}
    except RemoteFailed as why:
        return [_failed("dns.server", why)]
    done = [Check("dns.server", "ok", f"{updates.server} answers, and takes the key.")]
    done += [_failed(f"dns.zone.{host}", updates.lacking(host)) for host, zone in zones.items() if zone is None]
    for zone in {zone.name: zone for zone in zones.values() if zone}.values():
        done.append(_changing(updates, zone))
    return done


def _changing(updates: Updates, zone: Zone) -> Check:
    try:
        updates.may_change(zone)
    except RemoteFailed as why:
        return _failed(f"dns.edit.{zone.name}", why)
    return Check(f"dns.edit.{zone.name}", "ok", f"Records in {zone.name} may be changed.")


def _failed(name: str, why: RemoteFailed) -> Check:
    return Check(name, "failed", why.detail, " ".join(why.todo))
