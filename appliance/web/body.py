"""Reading what a request says as JSON."""

import json
import zlib
from collections import Counter
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Message

from appliance.context import Context
from appliance.errors import BadRequest, TooLarge

MOST = 1 << 20
LITTLE = 64 << 10  # where nobody has to be signed in
A_FILE = 400  # bytes that a file may take in a list, on average
TOO_MANY = "The list of files is larger than this host takes for as many files as a bundle may have."


async def body(request: Request) -> Any:
    """The JSON of a small body; an empty one is an empty object."""
    return _read(await _bytes(request, MOST, "This body is larger than 1 MiB, the most that is taken here."))


async def list_of_files(request: Request, ctx: Context) -> Any:
    """The JSON of a body that may be long, and may be gzip."""
    most = MOST + A_FILE * ctx.settings.bundle_max_files
    data = await _bytes(request, most, TOO_MANY)
    if request.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip"):
        data = await run_in_threadpool(_gunzip, data, most)
    return await run_in_threadpool(_read, data)


def bounded(request: Request, most: int) -> Request:
    """The same request, of which no more than that can be read, whoever reads it."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise _too_large(most)
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise _too_large(most)
        return message

    return Request(request.scope, receive)


def _too_large(most: int) -> TooLarge:
    size = "1 MiB" if most == MOST else f"{most >> 10} KiB"
    return TooLarge(f"This body is larger than {size}, the most that is taken here.")


async def _bytes(request: Request, most: int, too_much: str) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            raise TooLarge(too_much)
    return bytes(data)


def _gunzip(data: bytes, most: int) -> bytes:
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(data, most + 1)
    except zlib.error as why:
        raise BadRequest(f"The body says it is gzip, and is not: {why}.", code="not_gzip") from why
    if len(plain) > most:
        raise TooLarge(TOO_MANY)
    if not inflate.eof or inflate.unused_data:
        raise BadRequest("The gzip of the body does not end where the body ends.", code="not_gzip")
    return plain


def _read(data: bytes) -> Any:
    if not data:
        return {}
    try:
        return json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as why:
        raise BadRequest(f"The body is not JSON: {why}.", code="not_json") from why


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that names nothing twice: readers differ in which of the two they take."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise BadRequest(f"The body names {twice[:100]} twice.", code="twice")
    return made
