"""A file from the server: in its place only once all of it is there."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from appliance.errors import BadRequest, HomeportError


def save(pieces: Iterator[bytes], target: Path, *, sha256: str = "", mode: int = 0o666) -> None:
    """Nothing is asked of the server where the file is there already; nothing is kept that has another SHA-256."""
    if target.exists():
        raise BadRequest(f"{target} is there already.", todo=("Name another file with --output.",))
    beside, digest = target.with_name(f".{target.name}.part"), hashlib.sha256()
    try:
        beside.touch(mode)
        with beside.open("wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        if sha256 and digest.hexdigest() != sha256:
            raise HomeportError(f"What came is not {target.name} as the server has it: its SHA-256 is another.")
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
