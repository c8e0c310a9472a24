"""Where environments run: plug-ins, imported on first use."""

from importlib import import_module
from importlib.metadata import entry_points

from appliance.backends.base import Backend
from appliance.errors import NotFound
from appliance.settings import Settings

REGISTRY = {
    "builtin": "appliance.backends.builtin:Builtin",
    "nginx": "appliance.backends.nginx:Nginx",
}


def load(name: str, settings: Settings) -> Backend:
    """The backend of this name, ready to use."""
    if name in REGISTRY:
        module, _, attribute = REGISTRY[name].partition(":")
        made: Backend = getattr(import_module(module), attribute)(settings)
        return made
    for point in entry_points(group="homeport.backends"):
        if point.name == name:
            plugged: Backend = point.load()(settings)
            return plugged
    raise NotFound(f"There is no backend {name} in this Homeport.", code="no_backend")
