"""Style sheet, scripts and pictures: few and small, so they are kept in memory, packed once."""

import gzip
from dataclasses import dataclass
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from appliance.errors import NotFound
from appliance.web.page import STATIC

FOREVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}


@dataclass(frozen=True)
class File:
    plain: bytes
    packed: bytes
    type: str


async def file(request: Request) -> Response:
    found = _files().get(request.path_params["name"])
    if found is None:
        raise NotFound("There is nothing at this address.")
    headers = {"Vary": "Accept-Encoding", "Cache-Control": FOREVER if request.query_params.get("v") else "no-cache"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type=found.type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.plain, media_type=found.type, headers=headers)


@cache
def _files() -> dict[str, File]:
    return {path.name: _read(path.read_bytes(), path.suffix) for path in STATIC.iterdir() if path.suffix in TYPES}


def _read(plain: bytes, suffix: str) -> File:
    return File(plain, gzip.compress(plain, mtime=0), TYPES[suffix])
