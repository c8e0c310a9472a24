"""Makes a tree out of contents that are on the shelf: nothing is written but names."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from appliance.errors import Cancelled, HostFailed
from appliance.machine import files
from appliance.machine.shelf import Shelf
from appliance.model.manifests import Manifest

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LOOK_EVERY = 0.1  # seconds


def link_tree(manifest: Manifest, folder: Path, shelf: Shelf, *, cancelled: Callable[[], bool]) -> None:
    """When this raises, what is there by then is the caller's to remove."""
    files.make_open(folder)
    folders: dict[str, list[str]] = {}
    for path in manifest:
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    look_at = monotonic() + LOOK_EVERY
    kept = os.open(shelf.root, _FOLDER)
    try:
        for name in sorted(folders):
            if name:
                files.make_open(folder / name)
            here = os.open(folder / name, _FOLDER)
            try:
                for path in folders[name]:
                    _link(shelf, kept, manifest[path].sha256, here, path)
            finally:
                os.close(here)
            if monotonic() > look_at:
                look_at = monotonic() + LOOK_EVERY
                if cancelled():
                    raise Cancelled("The deployment was cancelled.")
    finally:
        os.close(kept)


def _link(shelf: Shelf, kept: int, sha256: str, here: int, path: str) -> None:
    name = path[path.rfind("/") + 1 :].encode()
    source = f"{sha256[:2]}/{sha256}"
    try:
        try:
            os.link(source, name, src_dir_fd=kept, dst_dir_fd=here)
        except OSError as why:
            if why.errno != errno.EMLINK:
                raise
            shelf.renew(sha256)
            os.link(source, name, src_dir_fd=kept, dst_dir_fd=here)
    except FileNotFoundError as why:
        raise HostFailed(
            f"A content of this deployment is not here any more: {path} ({sha256[:12]}…).",
            code="content_gone",
            todo=("Deploy the folder again: what is missing is sent again.",),
        ) from why
    except OSError as why:
        raise HostFailed(f"{path} can't be linked into the release: {why.strerror}.", code="not_linked") from why
