"""Where things of a URL lie, and whose they are."""

import os
from pathlib import Path

from appliance.nginx.template import is_ours
from appliance.nginx.values import file_name, host_of_file
from appliance.settings import Settings

LONGEST_MARK = 200
_BEFORE, _AFTER = "homeport-", ".conf"


def folder(settings: Settings) -> Path:
    return settings.data / "nginx"


def file_of(settings: Settings, host: str) -> Path:
    return folder(settings) / f"{file_name(host)}.conf"


def users_of(settings: Settings, host: str) -> Path:
    """Who may come in, where there is a password."""
    return folder(settings) / f"{file_name(host)}.users"


def hosts_in(settings: Settings) -> set[str]:
    """The hosts that files in our folder are named after, whoever made them."""
    return {host_of_file(file.stem) for file in folder(settings).glob(f"*{_AFTER}")}


def link_name(host: str) -> str:
    return f"{_BEFORE}{file_name(host)}{_AFTER}"


def host_of_link(name: str) -> str | None:
    """The host that a link named so would be of."""
    if name.startswith(_BEFORE) and name.endswith(_AFTER):
        return host_of_file(name[len(_BEFORE) : -len(_AFTER)])
    return None


def places(settings: Settings) -> tuple[Path, ...]:
    """The folders that have a link for each host."""
    return tuple(dict.fromkeys((settings.nginx_sites_available, settings.nginx_sites_enabled)))


def links_of(settings: Settings, host: str) -> tuple[Path, ...]:
    return tuple(place / link_name(host) for place in places(settings))


def is_link_of(settings: Settings, link: Path, host: str) -> bool:
    """Whether a link is the one that we made for this host."""
    return link.is_symlink() and os.readlink(link) == str(file_of(settings, host))


def has_mark(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            return is_ours(text.readline(LONGEST_MARK).rstrip("\n"))
    except OSError:
        return False


def text_of_ours(settings: Settings, host: str) -> str | None:
    """The text of a host's file, if it is ours, whatever leads to it."""
    file = file_of(settings, host)
    return file.read_text("utf-8", errors="replace") if has_mark(file) else None


def text_in_place(settings: Settings, host: str) -> str | None:
    """The text of a host's file, if it is ours and both links lead to it."""
    file = file_of(settings, host)
    whole = has_mark(file) and all(is_link_of(settings, link, host) for link in links_of(settings, host))
    return file.read_text("utf-8") if whole else None


def is_of_ours(settings: Settings, file: Path) -> bool:
    """A file that NGINX reads, and that lies in our folder and bears our mark."""
    real = Path(os.path.realpath(file))
    return real.parent == Path(os.path.realpath(folder(settings))) and has_mark(real)
