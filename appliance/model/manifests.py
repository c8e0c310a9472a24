"""A manifest: the files of a release, by path, each by its content."""

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple


class Piece(NamedTuple):
    """One file's content. A NamedTuple: there may be 100,000."""

    size: int
    sha256: str
    crc32: int  # for zips only; nothing is ever recognised by it


Manifest = Mapping[str, Piece]


def release_name(manifest: Manifest) -> str:
    """What the release of these files is called: the SHA-256 of `<sha256> <size> <path>` lines, sorted by path."""
    lines = sorted(((path.encode(), piece) for path, piece in manifest.items()))
    text = b"".join(b"%s %d %s\n" % (piece.sha256.encode(), piece.size, path) for path, piece in lines)
    return hashlib.sha256(text).hexdigest()


def written(manifest: Manifest) -> str:
    return json.dumps({"files": manifest}, separators=(",", ":"), ensure_ascii=False)


def read(text: str | bytes) -> dict[str, Piece]:
    """ValueError for what is none, or is of a form that no content can be found by."""
    try:
        files: dict[str, tuple[int, str, int]] = json.loads(text)["files"]
        return {path: Piece(*piece) for path, piece in files.items()}
    except (TypeError, KeyError, AttributeError) as why:
        raise ValueError("it is no list of files with their contents") from why


def mtime(sha256: str) -> int:
    """The modification time that a released file gets: made from its content, so that validators are too."""
    return (1 << 28) + int(sha256[:12], 16) % (1 << 30)


def etag(size: int, sha256: str) -> str:
    """The validator of a released file, as NGINX makes it from the modification time and the size."""
    return f'"{mtime(sha256):x}-{size:x}"'
