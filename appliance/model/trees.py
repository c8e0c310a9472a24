"""A tree of files to deploy, told by the contents of its files: all of them, or what differs from a release."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from appliance.model.bundles import BundleByHash
from appliance.model.fields import HALF, SHA256, Reader

LONGEST = 1 << 53  # what every JSON reader takes for a whole number
KEYS = {"sha256", "size", "mode"}


@dataclass(frozen=True)
class Wanted:
    """One file's content, as the sender knows it."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Tree:
    """What a folder holds."""

    files: Mapping[str, Wanted]
    base: str | None = None  # the name of a release: then `files` are those that differ from it
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class FromUpload:
    """Deploying what was uploaded by tus."""

    upload: str


@dataclass(frozen=True)
class Start:
    """What a deployment is made from, as JSON: a bundle, an upload, or files."""

    bundle: Annotated[str | None, "The SHA-256 of a bundle that is already here"] = None
    upload: Annotated[str | None, "The id of an upload that is whole"] = None
    files: Annotated[
        dict[str, object] | None,
        "Each path with its content: `[sha256, size]`, or an object with `sha256`, `size` and perhaps `mode`",
    ] = None
    base: Annotated[str | None, "The name of a release that is here: `files` are then those that differ"] = None
    removed: Annotated[list[str] | None, "Paths of the base that are no more"] = None


def start_of(raw: object) -> BundleByHash | FromUpload | Tree:
    """Which of the three it is."""
    if isinstance(raw, Mapping) and "files" in raw:
        return tree_of(raw)
    if isinstance(raw, Mapping) and "upload" in raw:
        reader = Reader(raw)
        upload = reader.text("upload")
        reader.done()
        return FromUpload(upload)
    return BundleByHash.parse(raw)


def tree_of(raw: Mapping[str, object]) -> Tree:
    """Every path with its content."""
    reader = Reader({name: value for name, value in raw.items() if name not in ("files", "removed")})
    base = reader.checked("base", _release_of, optional=True)
    files = _files(reader, raw["files"])
    removed = raw.get("removed") or []
    if not isinstance(removed, list) or not all(isinstance(one, str) for one in removed):
        reader.wrong("removed", "Give a list of paths")
        removed = []
    elif removed and base is None:
        reader.wrong("removed", "Name the release as `base` that these are removed from")
    reader.done()
    return Tree(files, base, tuple(removed))


def _files(reader: Reader, found: object) -> dict[str, Wanted]:
    if not isinstance(found, Mapping):
        reader.wrong("files", "Give an object of paths, each with [sha256, size]")
        return {}
    files = {}
    for path, value in found.items():
        try:
            files[path] = _wanted(path, value)
        except ValueError as why:
            reader.wrong("files", str(why))
            break
    return files


def _wanted(path: str, value: object) -> Wanted:
    if HALF.search(path):
        raise ValueError("A path has half a character in it")
    shown = path if len(path) <= 100 else f"{path[:100]}…"
    if isinstance(value, list) and len(value) == 2:
        sha256, size = value
    elif isinstance(value, dict) and {"sha256", "size"} <= value.keys() <= KEYS:
        sha256, size = value["sha256"], value["size"]
        _refuse_special(shown, value.get("mode", 0))
    else:
        raise ValueError(f"{shown}: give [sha256, size], or an object with sha256 and size")
    if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
        raise ValueError(f"{shown}: a content is named by the 64 hex digits of its SHA-256")
    if type(size) is not int or not 0 <= size <= LONGEST:
        raise ValueError(f"{shown}: the size is a number of bytes")
    return Wanted(sha256, size)


def _refuse_special(path: str, mode: object) -> None:
    if type(mode) is not int or stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ValueError(f"{path}: the mode is that of no plain file; a site holds files only")


def _release_of(text: str) -> str:
    if not SHA256.fullmatch(text):
        raise ValueError("A release is named by 64 hex digits")
    return text
