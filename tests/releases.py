"""Releases for tests, made as the engine makes them."""

import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from appliance.machine.archive import mtime
from appliance.model.sites import Release, Site

Files = Mapping[str, str | bytes]


def make_release(data: Path, files: Files) -> Release:
    """A folder of these files under <data>/releases, with its manifest beside it."""
    contents = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    name = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()
    folder = data / "releases" / name
    if folder.with_name(f"{name}.json").exists():
        return Release(name, folder)
    for path, content in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        when = mtime(zlib.crc32(content))
        os.utime(file, (when, when))
    folder.mkdir(parents=True, exist_ok=True)
    listed = {path: [len(content), zlib.crc32(content)] for path, content in contents.items()}
    folder.with_name(f"{name}.json").write_text(json.dumps({"files": listed}))
    return Release(name, folder)


def make_site(data: Path, *hosts: str, project: str = "blog", port: int = 8420) -> Site:
    pointer = data / "sites" / project / "production"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    return Site(project, "production", pointer, hosts, f"http://{project}.localhost:{port}/")
