"""Where DNS records are made: plug-ins, imported on first use."""

from importlib import import_module

from appliance.dns.base import Provider, Record, Target
from appliance.errors import StartFailed
from appliance.settings import Settings

__all__ = ["REGISTRY", "Provider", "Record", "Target", "load", "provider"]

REGISTRY = {"cloudflare": "appliance.dns.cloudflare:Cloudflare"}
OFFERED = "homeport.dns"  # the entry points where other packages offer theirs


def provider(settings: Settings, instance_id: str) -> Provider | None:
    """The provider that is set up, or None where records are made by hand."""
    if not settings.cloudflare_token:
        return None
    return load("cloudflare")(settings, instance_id)


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
        known = ", ".join(sorted({*REGISTRY, *offered.names}))
        raise StartFailed(f"There is no DNS provider called {name!r}. There is {known}.")
    found: type[Provider] = offered[name].load()
    return found
