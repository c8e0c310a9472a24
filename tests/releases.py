"""Releases for tests, made as the engine makes them."""

import hashlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from appliance.machine.shelf import Shelf
from appliance.model import manifests
from appliance.model.answers import Answers
from appliance.model.manifests import Piece, mtime
from appliance.model.rules import Guard, Rules
from appliance.model.sites import Release, Site
from appliance.web.sites import Shown

Files = Mapping[str, str | bytes]


def shelf_in(folder: Path) -> Shelf:
    shelf = Shelf(folder / "files")
    shelf.make()
    return shelf


_known: dict[str, Answers] = {}  # by the key of their rules


def make_release(data: Path, files: Files, rules: Rules | None = None) -> Release:
    """A folder of these files under <data>/releases, with its manifest beside it."""
    rules = rules or Rules(fallback="200.html" if "200.html" in files else "")
    _known[rules.key] = Answers(rules)
    contents = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    manifest = {path: Piece(len(it), hashlib.sha256(it).hexdigest(), zlib.crc32(it)) for path, it in contents.items()}
    name = manifests.release_name(manifest)
    folder = data / "releases" / name
    if folder.with_name(f"{name}.json").exists():
        return Release(name, folder, rules)
    for path, content in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        when = mtime(manifest[path].sha256)
        os.utime(file, (when, when))
    folder.mkdir(parents=True, exist_ok=True)
    folder.with_name(f"{name}.json").write_text(manifests.written(manifest))
    return Release(name, folder, rules)


def shown_at(pointer: Path, guard: Guard | None = None, earlier: Path | None = None) -> Shown:
    """What Homeport's own server shows of a site whose releases were made here."""
    inner = pointer.readlink().name if pointer.is_symlink() else ""
    answers = _known.get(inner.rpartition("@")[2]) or Answers(Rules())
    return Shown(pointer.with_name(inner) if inner else pointer, answers, guard or Guard(), earlier)


def make_site(data: Path, *hosts: str, project: str = "blog", port: int = 8420) -> Site:
    pointer = data / "sites" / project / "production"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    return Site(project, "production", pointer, hosts, f"http://{project}.localhost:{port}/")
