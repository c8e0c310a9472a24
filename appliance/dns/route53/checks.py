"""What the Test button finds out about an access key, without changing anything."""

from appliance.dns.route53.api import Api
from appliance.dns.rows import Zone
from appliance.errors import RemoteFailed
from appliance.model.checks import Check

ZONES_SHOWN = 5


def run(api: Api, hosts: tuple[str, ...]) -> list[Check]:
    try:
        found = {host: api.find(host) for host in hosts}
        zones = {zone.name: zone for zone in found.values() if zone}
        if not hosts:
            zones = {zone.name: zone for zone in api.zones()[:ZONES_SHOWN]}
    except RemoteFailed as why:
        return [_failed("dns.key", why)]
    done = [Check("dns.key", "ok", "Route 53 takes the access key.")]
    done += [_failed(f"dns.zone.{host}", api.lacking(host)) for host, zone in found.items() if zone is None]
    done += [_changing(api, zone) for zone in zones.values()]
    if not hosts and not zones:
        done.append(Check("dns.zones", "failed", "There is no hosted zone in this account.", "Make one in Route 53."))
    return done


def _changing(api: Api, zone: Zone) -> Check:
    try:
        api.may_change(zone)
    except RemoteFailed as why:
        return _failed(f"dns.edit.{zone.name}", why)
    return Check(f"dns.edit.{zone.name}", "ok", f"The key may change records in {zone.name}.")


def _failed(name: str, why: RemoteFailed) -> Check:
    return Check(name, "failed", why.detail, " ".join(why.todo))
