"""What of ours stands in NGINX's folders, remembered from look to look: of thousands, each is read once."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import HostFailed
from appliance.nginx import paths
from appliance.nginx.template import read
from appliance.nginx.values import file_name, host_of_file
from appliance.settings import Settings

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Standing:
    """One host whose file and links are whole."""

    host: str
    listen: tuple[str, ...] = ()
    name: str = ""  # for NGINX; empty for text that isn't as Homeport writes it

    @property
    def as_written(self) -> bool:
        return bool(self.name)


_KNOWN: dict[Path, dict[str, tuple[Stamp, Standing]]] = {}  # by folder, then by host
_LOOKING = threading.Lock()


def look(settings: Settings) -> dict[str, Standing]:
    """Every host that is in place, whole. A file is read again when it is another one, or was written since."""
    folder = paths.folder(settings)
    linked = _linked(settings)
    with _LOOKING:
        before, now = _KNOWN.get(folder, {}), dict[str, tuple[Stamp, Standing]]()
        for host, stamp in _stamps(folder):
            known = before.get(host)
            if known is None or known[0] != stamp:
                found = _read(settings, host)
                known = (stamp, found) if found else None
            if known:
                now[host] = known
        _KNOWN[folder] = now
    return {host: standing for host, (_, standing) in sorted(now.items()) if host in linked}


def traces(settings: Settings) -> set[str]:
    """Every host of which there is anything of ours, whole or not."""
    whole = look(settings).keys()
    files = paths.hosts_in(settings) - whole
    marked = {host for host in files if paths.has_mark(paths.file_of(settings, host))}
    return {*whole, *marked, *(host for place in paths.places(settings) for host in _links(settings, place))}


def has_trace(settings: Settings, host: str) -> bool:
    """The same of one host, without a look at all of them."""
    links = paths.links_of(settings, host)
    return paths.has_mark(paths.file_of(settings, host)) or any(
        paths.is_link_of(settings, link, host) for link in links
    )


def _linked(settings: Settings) -> set[str]:
    first, *others = (_links(settings, place) for place in paths.places(settings))
    return first.intersection(*others)


def _links(settings: Settings, place: Path) -> set[str]:
    """The hosts whose links here are ours."""
    folder, found = f"{paths.folder(settings)}/", set()
    for name in _names(place):
        host = paths.host_of_link(name)
        if host and _target(f"{place}/{name}") == f"{folder}{file_name(host)}.conf":
            found.add(host)
    return found


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _target(link: str) -> str | None:
    try:
        return os.readlink(link)
    except OSError:
        return None  # no link, or gone since


def _stamps(folder: Path) -> list[tuple[str, Stamp]]:
    """Of every file: what changes when it is written or replaced."""
    found = []
    for name in _names(folder):
        host, dot, _ = name.rpartition(".conf")
        if dot and host:
            try:
                it = os.lstat(f"{folder}/{name}")
            except FileNotFoundError:
                continue
            found.append((host_of_file(host), (it.st_ino, it.st_size, it.st_mtime_ns, it.st_ctime_ns)))
    return found


def _read(settings: Settings, host: str) -> Standing | None:
    """What its file says; nothing where the file isn't ours."""
    file = paths.file_of(settings, host)
    if not paths.has_mark(file):
        return None
    try:
        conf = read(file.read_text("utf-8"))
    except (HostFailed, UnicodeDecodeError, OSError):
        return Standing(host)
    return Standing(host, _same(conf.listen), conf.server_name) if conf.host == host else Standing(host)


def _same(listen: tuple[str, ...]) -> tuple[str, ...]:
    """One object for all that are equal: most of them are."""
    return _LISTENS.setdefault(listen, listen)


_LISTENS: dict[tuple[str, ...], tuple[str, ...]] = {}
