"""The symlinks that say which release of an environment is live.

`production` leads to `production@<key of the rules>`, and that to the release. A deploy with the same rules swaps the
second; one with other rules makes a new second, and swaps the first when everything knows the new one. So rules and
files never mix: whoever comes by the name of the rules gets files that were deployed with them.
"""

import os
from pathlib import Path

from appliance.errors import HostFailed
from appliance.machine import files
from appliance.model.rules import Rules
from appliance.model.sites import Release, Site


def inner(site: Site, rules: Rules) -> Path:
    """Where the files of this site are, for whoever serves them by these rules."""
    return site.pointer.with_name(f"{site.pointer.name}@{rules.key}")


def shown(site: Site) -> Path:
    """Where the files are by the rules that are live; the pointer itself, of what went live before there were rules."""
    found = inner(site, site.rules)
    return found if found.is_symlink() or not site.pointer.is_symlink() else site.pointer


def is_way(site: Site, path: Path) -> bool:
    """Whether a path is the pointer or one of the links behind it."""
    beside = path.parent == site.pointer.parent
    return beside and (path == site.pointer or path.name.startswith(f"{site.pointer.name}@"))


def leads(site: Site, rules: Rules) -> bool:
    """Whether these rules are the live ones."""
    return site.pointer.is_symlink() and os.readlink(site.pointer) == inner(site, rules).name


def swap(site: Site, release: Release) -> None:
    """Make the site lead to this release."""
    forget_others(site, release)
    prepare(site, release)
    lead(site, release)


def prepare(site: Site, release: Release) -> None:
    """The second step of the way. With the rules that are live, this is what makes visitors get the release."""
    try:
        files.make_open(site.pointer.parent)
        _point(inner(site, release.rules), os.path.relpath(release.path, site.pointer.parent))
    except OSError as why:
        raise _refused(site, why) from why


def lead(site: Site, release: Release) -> None:
    """The first step of the way."""
    try:
        _point(site.pointer, inner(site, release.rules).name)
    except OSError as why:
        raise _refused(site, why) from why


def restore(site: Site, release: Release | None) -> None:
    """Make it lead to what was before, if anything was."""
    if release is None:
        clear(site)
    else:
        swap(site, release)


def clear(site: Site) -> None:
    site.pointer.unlink(missing_ok=True)
    for link in inners(site.pointer):
        link.unlink(missing_ok=True)


def inners(pointer: Path) -> list[Path]:
    return list(pointer.parent.glob(f"{pointer.name}@*")) if pointer.parent.is_dir() else []


def forget_others(site: Site, release: Release) -> None:
    """One that neither is live nor is coming has had a whole deployment's time to be forgotten by everybody."""
    live = os.readlink(site.pointer) if site.pointer.is_symlink() else ""
    for link in inners(site.pointer):
        if link.name not in (live, inner(site, release.rules).name):
            link.unlink(missing_ok=True)


def _point(link: Path, target: str) -> None:
    if not link.is_symlink() or os.readlink(link) != target:
        files.point(link, target)


def _refused(site: Site, why: OSError) -> HostFailed:
    return HostFailed(
        f"{site.pointer} could not be made to lead to the new release: {why.strerror}.",
        code="pointer",
        todo=("Check with `homeport doctor` that the data folder can be written.", "Try again."),
    )
