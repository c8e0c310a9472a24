"""From what was asked to what will be there. Pure but for reading the settings that an earlier install left."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

from appliance.errors import StartFailed
from appliance.installer import env
from appliance.installer.env import ENV
from appliance.installer.plan import Access, File, Folder, Link, Page, Plan
from appliance.model.urls import host_name
from appliance.nginx.helper import CONFIG, WANTED, Rules
from appliance.settings import ABOUT, SECRETS, Settings

USER = "homeport"
PROGRAM = Path("/usr/local/bin/homeport")
PACKAGED = (Path("/usr"), Path("/opt"))  # a program that lies below these was put there to stay
UNITS = Path("/etc/systemd/system")
HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
PAGE = "homeport-appliance.conf"
NAMES = {it.env: name for name, it in ABOUT.items()}
FIXED = {
    "HOMEPORT_NGINX_HELPER": "/run/homeport/nginx.sock",
    "HOMEPORT_RUNTIME": "/var/cache/homeport",
}  # as in the units
FIRST = {"HOMEPORT_DATA": "/var/lib/homeport", "HOMEPORT_HOST": "127.0.0.1", "HOMEPORT_PORT": "8420"}

_PATH = re.compile(r"(/[A-Za-z0-9_@+~-][A-Za-z0-9._@+~-]*)+")
_ADDRESS = re.compile(r"[A-Za-z0-9.:-]+")


@dataclass(frozen=True)
class Asked:
    """What the operator wants: the settings in full, the file to install, and what goes before every path."""

    settings: Settings
    env: str
    program: Path
    root: Path = Path("/")


def asked(flags: Mapping[str, str | None], environ: Mapping[str, str], program: Path, root: Path = Path("/")) -> Asked:
    """Flags before the environment before what is installed already before what is usual."""
    file = root / ENV.relative_to("/")
    there = file.read_text("utf-8") if file.exists() else ""
    given = {name: value for name, value in environ.items() if name in NAMES}
    given.update({ABOUT[name].env: value for name, value in flags.items() if value is not None})
    values = {**FIRST, **env.parse(there), **given, **FIXED}
    if values.get("HOMEPORT_URL"):
        values.setdefault("HOMEPORT_TRUSTED_PROXIES", "127.0.0.1")  # NGINX says who the visitor is
    settings = Settings.load({}, {name: value for name, value in values.items() if name in NAMES})
    _refuse_odd(settings)
    return Asked(settings, env.merged(there, values), program, root)


def plan(asked: Asked) -> Plan:
    settings, root = asked.settings, asked.root
    program = _program(asked)
    page, note = _page(settings, root)
    values = _values(settings, program)
    rules = Rules.of(settings, USER)
    return Plan(
        root=root,
        user=USER,
        data=settings.data,
        program=program,
        folders=_folders(settings.data),
        files=(
            *([_program_file(asked.program)] if program == PROGRAM != asked.program else []),
            _settings_file(asked.env),
            File(CONFIG, rules.text().encode(), Access(0o600)),
            *(_unit(name, values) for name in ("homeport.service", "homeport-nginx.socket", "homeport-nginx@.service")),
        ),
        page=page,
        rules=rules,
        notes=(note,) if note else (),
    )


def _folders(data: Path) -> tuple[Folder, ...]:
    """The data folder is root's and sticky: Homeport may use it, but not put another `nginx` in place of root's."""
    return (
        Folder(ENV.parent, Access(0o755)),
        Folder(data, Access(0o1771, "root", USER)),
        Folder(data / "nginx", Access(0o755)),
        Folder(data / WANTED, Access(0o700, USER, USER)),
    )


def _program(asked: Asked) -> Path:
    """Where the program will run from."""
    here = asked.program
    return here if any(here.is_relative_to(place) for place in PACKAGED) and _PATH.fullmatch(str(here)) else PROGRAM


def _program_file(source: Path) -> File:
    content = source.read_bytes()
    return File(
        PROGRAM, content, Access(0o755), shown=f"(a copy of {source}, {len(content):,} bytes)\n", edits="replace"
    )


def _settings_file(text: str) -> File:
    secrets = frozenset(ABOUT[name].env for name in SECRETS)
    return File(ENV, text.encode(), Access(0o640, "root", USER), shown=env.hidden(text, secrets), edits="merge")


def _unit(name: str, values: Mapping[str, str]) -> File:
    return File(UNITS / name, _filled(f"units/{name}", values).encode(), Access(0o644))


def _values(settings: Settings, program: Path) -> dict[str, str]:
    low = 0 < settings.port < 1024
    return {
        "user": USER,
        "program": str(program),
        "data": str(settings.data),
        "sites_available": str(settings.nginx_sites_available),
        "sites_enabled": str(settings.nginx_sites_enabled),
        "capabilities": "CAP_NET_BIND_SERVICE" if low else "",
        "protect_home": "read-only" if any(settings.data.is_relative_to(home) for home in HOMES) else "yes",
    }


def _page(settings: Settings, root: Path) -> tuple[Page | None, str]:
    """The block for the appliance's own name, or why there is none."""
    if not settings.url:
        return None, ""
    try:
        host = host_name(urlsplit(settings.url).hostname or "")
    except ValueError:
        return (
            None,
            f"{settings.url} has no host name that NGINX could answer for, so the appliance's page is not put there.",
        )
    if urlsplit(settings.url).port not in (None, 80, 443):
        return None, f"{settings.url} names a port, so the appliance's page is not put behind NGINX."
    available, enabled = settings.nginx_sites_available, settings.nginx_sites_enabled
    if not all((root / place.relative_to("/")).is_dir() for place in (available, enabled)):
        return None, f"NGINX's folders {available} and {enabled} are not there: install NGINX, then run this again."
    text = _filled(PAGE, _page_values(settings, host))
    link = Link(enabled / PAGE, os.path.relpath(available / PAGE, enabled))
    return Page(host, File(available / PAGE, text.encode(), Access(0o644)), link), ""


def _page_values(settings: Settings, host: str) -> dict[str, str]:
    inside = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return {
        "listen": "\n".join(f"    listen {value};" for value in settings.nginx_listen.split()),
        "host": host,
        "upload_max": str(settings.upload_max),
        "upstream": f"[{inside}]:{settings.port}" if ":" in inside else f"{inside}:{settings.port}",
    }


def _filled(name: str, values: Mapping[str, str]) -> str:
    text = resources.files("appliance.installer").joinpath(name).read_text("utf-8")
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: values[found[1]], text)


def _refuse_odd(settings: Settings) -> None:
    """These go into units and NGINX files as they are."""
    paths = {
        "HOMEPORT_DATA": settings.data,
        "HOMEPORT_NGINX_SITES_AVAILABLE": settings.nginx_sites_available,
        "HOMEPORT_NGINX_SITES_ENABLED": settings.nginx_sites_enabled,
        "HOMEPORT_NGINX_CONF": settings.nginx_conf,
    }
    for name, path in paths.items():
        if not _PATH.fullmatch(str(path)):
            raise StartFailed(f"{name} is {str(path)!r}: use a whole path of letters, digits and . _ - + @ ~ only.")
    if not _ADDRESS.fullmatch(settings.host):
        raise StartFailed(f"HOMEPORT_HOST is {settings.host!r}, which is no address to listen on.")
    if settings.port == 0:
        raise StartFailed("HOMEPORT_PORT is 0: a service needs a port that stays.")
    if not re.fullmatch(r"[0-9.:\[\]a-f ]+", settings.nginx_listen):
        raise StartFailed(
            f"HOMEPORT_NGINX_LISTEN is {settings.nginx_listen!r}, which is nothing that NGINX can listen on."
        )
