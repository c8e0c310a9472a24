"""Which of NGINX's modules that send compressed files are there, besides the one that always is."""

import os
import re
from functools import lru_cache
from pathlib import Path

from appliance.machine.process import run
from appliance.nginx import config
from appliance.nginx.values import MODULES
from appliance.settings import Settings

PATIENCE = 5.0
_BUILT_IN = re.compile(r"--add-module=\S*(brotli|zstd)")


def loaded(settings: Settings) -> tuple[str, ...]:
    """As NGINX's main file and its build say."""
    return _known(
        settings.nginx_conf, settings.nginx_sites_enabled, settings.nginx_test[0], _stamp(settings.nginx_conf)
    )


@lru_cache(maxsize=8)
def _known(conf: Path, enabled: Path, program: str, _: tuple[int, ...]) -> tuple[str, ...]:
    real = os.path.realpath(enabled)
    found = config.read_all(conf, lambda file: os.path.realpath(os.path.dirname(file)) == real)
    files = [directive.args[0] for directive in found if directive.name == "load_module" and directive.args]
    there = {name for name in MODULES for file in files if re.search(rf"{name}_static", os.path.basename(file))}
    return tuple(name for name in MODULES if name in there | _built_in(program))


def _built_in(program: str) -> set[str]:
    if os.path.basename(program) != "nginx":
        return set()
    ran = run((program, "-V"), timeout=PATIENCE)
    return set(_BUILT_IN.findall(ran.output)) if ran.ok else set()


def _stamp(conf: Path) -> tuple[int, ...]:
    """Changes when the main file does, or when a module is enabled beside it."""
    found = []
    for place in (conf, conf.parent / "modules-enabled"):
        try:
            found.append(place.stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)
