"""A change, tested on a copy before anything real is touched.

The copy is a folder of links to what is there; only the folder of enabled sites, and the files that lead NGINX to it,
are made anew. In there one file stands in for all of ours that stay as they were written: they were tested when they
came, and of thousands only the names matter to those that come. With no change at all, everything is tested as it is.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from appliance.errors import HostFailed
from appliance.machine.process import run
from appliance.nginx import paths, standing
from appliance.nginx.config import Directive, included, read_all
from appliance.nginx.wildcard import KEY
from appliance.settings import Settings

PATIENCE = 180  # thousands of files take their time
Texts = Mapping[str, str | None]  # a host: its file, or None to take it away

_CONFLICT = re.compile(r'\[warn\].* conflicting server name "([^"]+)" on (\S+), ignored')
_PLACE = re.compile(r" in (/\S+):(\d+)")


def test(settings: Settings, changes: Texts) -> None:
    """Let NGINX test its configuration with these changes in it; HostFailed with its own words if it says no."""
    with tempfile.TemporaryDirectory(prefix="homeport-nginx-") as folder:
        shadow = _Shadow(settings, Path(folder), changes)
        ran = run((*settings.nginx_test, "-c", str(shadow.build())), timeout=PATIENCE)
        said = shadow.as_real(ran.output).strip()
    refused = _refused(settings, said) if not ran.ok else _overlooked(settings, said, changes)
    if refused:
        raise refused


@dataclass
class _Shadow:
    settings: Settings
    folder: Path
    changes: Texts
    made: dict[Path, Path] = field(default_factory=dict)  # a real folder: its copy
    includes: list[Directive] = field(default_factory=list)
    leading: set[Path] = field(default_factory=set)  # files that lead to the enabled sites

    def build(self) -> Path:
        """Make the copy; gives its main file."""
        conf, enabled = self.settings.nginx_conf, self.settings.nginx_sites_enabled
        if not conf.is_file():
            raise HostFailed(
                f"NGINX's main file {conf} is not there.",
                code="nginx_conf",
                todo=("Install NGINX, or set HOMEPORT_NGINX_CONF to its main file.",),
            )
        self.includes = includes_of(self.settings)
        self.leading = _leading(self.settings, self.includes)
        if conf not in self.leading:
            raise HostFailed(
                f"NGINX on this host does not read {enabled}.",
                code="nginx_include",
                todo=(f"Put `include {enabled}/*;` into the http block of {conf}.", "Check with `homeport doctor`."),
            )
        return self._copy_of(conf.parent) / conf.name

    def as_real(self, text: str) -> str:
        """NGINX's words with the real paths in them."""
        for real, copy in self.made.items():
            text = text.replace(f"{copy}/", f"{real}/")
        return text

    def _copy_of(self, real: Path) -> Path:
        if real in self.made:
            return self.made[real]
        copy = self.made[real] = self.folder / str(len(self.made))
        copy.mkdir()
        if _same_folder(real, self.settings.nginx_sites_enabled):
            stood_for = self._stand_in(copy) if self.changes else set()
            for entry in os.listdir(real):
                if entry not in stood_for:
                    (copy / entry).symlink_to(real / entry)
            self._change(copy)
        else:
            for entry in os.listdir(real):
                self._put(real / entry, copy / entry)
        return copy

    def _put(self, real: Path, copy: Path) -> None:
        if real in self.leading:
            copy.write_bytes(self._led_to_copies(real))
        elif _same_folder(real, self.settings.nginx_sites_enabled):
            copy.symlink_to(self._copy_of(real))
        else:
            copy.symlink_to(real)

    def _led_to_copies(self, file: Path) -> bytes:
        """The file's text, its includes changed where they lead to the enabled sites."""
        text = file.read_bytes()
        for include in self.includes:
            if include.file == file and _leads(self.settings, include, self.leading):
                copy = self._copy_of(_folder_of(self.settings, include))
                text = _led_elsewhere(text, include.args[0], copy / os.path.basename(include.args[0]))
        return text

    def _stand_in(self, enabled: Path) -> set[str]:
        """One file with the names of all of ours that stay as they are; says which links it stands for."""
        names, stood_for = dict[tuple[str, ...], list[str]](), set[str]()
        for host, it in standing.look(self.settings).items():
            if it.as_written and host not in self.changes:
                names.setdefault(it.listen, []).append(it.name)
                stood_for.add(paths.link_name(host))
        (enabled / paths.link_name("")).write_text("".join(map(_server, names, names.values())), "utf-8")
        return stood_for

    def _change(self, enabled: Path) -> None:
        for host, text in self.changes.items():
            file = enabled / paths.link_name(host)
            file.unlink(missing_ok=True)
            if text is not None:
                file.write_text(text, "utf-8")


def _server(listen: tuple[str, ...], names: list[str]) -> str:
    lines = (*(f"listen {it};" for it in listen), *(f"server_name {name};" for name in names))
    return "\n    ".join(("server {", *lines)) + "\n}\n"


def includes_of(settings: Settings) -> list[Directive]:
    """Every include on this host outside the enabled sites."""
    real = cache(os.path.realpath)
    enabled = real(settings.nginx_sites_enabled)
    found = read_all(settings.nginx_conf, lambda file: real(os.path.dirname(file)) == enabled)
    return [directive for directive in found if directive.name == "include" and directive.args]


def reads_our_links(settings: Settings) -> bool:
    """Whether NGINX's includes take in files named as ours are."""
    name = paths.link_name("www.example.com")
    return any(
        _leads(settings, include, set()) and Path(name).match(os.path.basename(include.args[0]))
        for include in includes_of(settings)
    )


def _leading(settings: Settings, includes: list[Directive]) -> set[Path]:
    """The files that include the enabled sites, and the files that include those."""
    found: set[Path] = set()
    while new := {it.file for it in includes if _leads(settings, it, found)} - found:
        found |= new
    return found


def _leads(settings: Settings, include: Directive, leading: set[Path]) -> bool:
    if _same_folder(_folder_of(settings, include), settings.nginx_sites_enabled):
        return True
    return not leading.isdisjoint(included(settings.nginx_conf, include))


def _folder_of(settings: Settings, include: Directive) -> Path:
    return Path(os.path.join(settings.nginx_conf.parent, include.args[0])).parent


def _led_elsewhere(text: bytes, pattern: str, copy: Path) -> bytes:
    old = re.compile(rb"(\binclude\s+)([\"']?)" + re.escape(os.fsencode(pattern)) + rb"\2(\s*;)")
    return old.sub(lambda found: found[1] + os.fsencode(copy) + found[3], text)


def _same_folder(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _overlooked(settings: Settings, said: str, changes: Texts) -> HostFailed | None:
    """NGINX passes over a name that is taken with a warning only: one of ours must not be lost so, new or old."""
    for name, address in _CONFLICT.findall(said):
        if any(_has(settings, host, name, changes) for host in (name, KEY)):
            return HostFailed(
                f"Another file on this host has the name {name} at {address} already, so NGINX would pass over ours.",
                code="nginx_taken",
                todo=(f"Find it with `nginx -T | grep -n {name}`, and take it out.", "Or choose another host name."),
                said=said,
            )
    return None


def _has(settings: Settings, host: str, name: str, changes: Texts) -> bool:
    """Whether a file of ours is for this name, as it will be then."""
    text = changes[host] if host in changes else paths.text_of_ours(settings, host)
    return text is not None and f"server_name {name};" in text


def _refused(settings: Settings, said: str) -> HostFailed:
    """NGINX's no, with what can be told from its words."""
    for explain in (_hash_too_small, _not_permitted, _in_a_file):
        if found := explain(settings, said):
            return found
    return HostFailed(
        "NGINX on this host refuses its configuration.",
        code="nginx_refused",
        todo=("Correct what NGINX names.", f"Check with `{' '.join(settings.nginx_test)}`, then try again."),
        said=said,
    )


def _in_a_file(settings: Settings, said: str) -> HostFailed | None:
    for line in _grave(said):
        if place := _PLACE.search(line):
            file, number = Path(place[1]), place[2]
            if paths.is_of_ours(settings, file) or not file.exists():
                return HostFailed(f"NGINX refuses the file that Homeport made: {line}", code="nginx_refused", said=said)
            return HostFailed(
                f"A file that Homeport did not write is refused by NGINX: {file}, line {number}. "
                "NGINX tests all its files together, so nothing new can be put in force until that line is right.",
                code="nginx_foreign",
                todo=(
                    f"Correct line {number} of {file}.",
                    f"Check with `{' '.join(settings.nginx_test)}`.",
                    "Try again. Fix this before the host restarts: NGINX would not start with that line.",
                ),
                said=said,
            )
    return None


def _hash_too_small(settings: Settings, said: str) -> HostFailed | None:
    if not any("server_names_hash" in line for line in _grave(said)):
        return None
    return HostFailed(
        "NGINX's table of host names is too small for a name this long.",
        code="nginx_hash",
        todo=(f"Put `server_names_hash_bucket_size 128;` into the http block of {settings.nginx_conf}.", "Try again."),
        said=said,
    )


def _not_permitted(_: Settings, said: str) -> HostFailed | None:
    if not any("Permission denied" in line for line in _grave(said)):
        return None
    return HostFailed(
        "Homeport's user may not test NGINX's configuration: NGINX needs to read and open more than it may.",
        code="not_permitted",
        todo=("Run `homeport install` as root: it sets up a small helper that tests and reloads.",),
        said=said,
    )


def _grave(said: str) -> Iterator[str]:
    return (line for line in said.splitlines() if "[emerg]" in line or "[crit]" in line or "[alert]" in line)
