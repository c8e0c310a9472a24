"""Releases for tests, made as the engine makes them."""

import hashlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from appliance.machine.shelf import Shelf
from appliance.model import manifests
from appliance.model.manifests import Piece, mtime
from appliance.model.sites import Release, Site

Files = Mapping[str, str | bytes]


def shelf_in(folder: Path) -> Shelf:
    shelf = Shelf(folder / "files")
    shelf.make()
    return shelf


def make_release(data: Path, files: Files) -> Release:
    """A folder of these files under <data>/releases, with its manifest beside it."""
    contents = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    manifest = {path: Piece(len(it), hashlib.sha256(it).hexdigest(), zlib.crc32(it)) for path, it in contents.items()}
    name = manifests.release_name(manifest)
    folder = data / "releases" / name
    if folder.with_name(f"{name}.json").exists():
        return Release(name, folder)
    for path, content in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        when = mtime(manifest[path].sha256)
        os.utime(file, (when, when))
    folder.mkdir(parents=True, exist_ok=True)
    folder.with_name(f"{name}.json").write_text(manifests.written(manifest))
    return Release(name, folder)


def make_site(data: Path, *hosts: str, project: str = "blog", port: int = 8420) -> Site:
    pointer = data / "sites" / project / "production"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    return Site(project, "production", pointer, hosts, f"http://{project}.localhost:{port}/")
