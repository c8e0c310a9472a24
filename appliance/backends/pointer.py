"""The symlink that says which release of an environment is live."""

import os

from appliance.errors import HostFailed
from appliance.machine import files
from appliance.model.sites import Release, Site


def swap(site: Site, release: Release) -> None:
    """Make it lead to this release in one step."""
    target = os.path.relpath(release.path, site.pointer.parent)
    try:
        files.make_open(site.pointer.parent)
        if not site.pointer.is_symlink() or os.readlink(site.pointer) != target:
            files.point(site.pointer, target)
    except OSError as why:
        raise HostFailed(
            f"{site.pointer} could not be made to lead to the new release: {why.strerror}.",
            code="pointer",
            todo=("Check with `homeport doctor` that the data folder can be written.", "Try again."),
        ) from why


def restore(site: Site, release: Release | None) -> None:
    """Make it lead to what was before, if anything was."""
    if release is None:
        clear(site)
    else:
        swap(site, release)


def clear(site: Site) -> None:
    site.pointer.unlink(missing_ok=True)
