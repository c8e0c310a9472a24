"""Where DNS records are made: plug-ins, imported on first use."""

from importlib import import_module

from appliance.dns.base import Provider, Record, Target
from appliance.errors import StartFailed
from appliance.settings import Settings

__all__ = ["AUTO", "NONE", "REGISTRY", "Provider", "Record", "Target", "chosen", "known", "load", "provider"]

REGISTRY = {
    "cloudflare": "appliance.dns.cloudflare:Cloudflare",
    "rfc2136": "appliance.dns.rfc2136:Rfc2136",
    "route53": "appliance.dns.route53:Route53",
    "manual": "appliance.dns.manual:Manual",
}
NONE, AUTO = "none", "auto"
OFFERED = "homeport.dns"  # the entry points where other packages offer theirs


def provider(settings: Settings, instance_id: str) -> Provider | None:
    """The provider that is set up, or None where records are made by hand."""
    name = chosen(settings)
    return None if name == NONE else load(name)(settings, instance_id)


def chosen(settings: Settings) -> str:
    """Its name. A Cloudflare token alone is choice enough."""
    if settings.dns_provider == AUTO:
        return "cloudflare" if settings.cloudflare_token else NONE
    return settings.dns_provider


def known() -> tuple[str, ...]:
    """Every name that may be chosen."""
    from importlib.metadata import entry_points

    return (*REGISTRY, *sorted(set(entry_points(group=OFFERED).names) - set(REGISTRY)))


def load(name: str) -> type[Provider]:
    """A provider's class by its name: one of ours, or one that another package offers."""
    if name in REGISTRY:
        module, _, attribute = REGISTRY[name].partition(":")
        found: type[Provider] = getattr(import_module(module), attribute)
        return found
    return _offered(name)


def _offered(name: str) -> type[Provider]:
    from importlib.metadata import entry_points

    offered = entry_points(group=OFFERED)
    if name not in offered.names:
        raise StartFailed(f"There is no DNS provider called {name!r}. There is {', '.join(sorted(known()))}.")
    found: type[Provider] = offered[name].load()
    return found
