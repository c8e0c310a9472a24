"""Reading bodies and writing answers."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.api.shapes import plain
from appliance.errors import BadRequest, Invalid, TooLarge

MOST = 1 << 20
PAGE, MOST_ITEMS = 50, 200
LONGEST_NUMBER = 18  # digits


def text_of(value: object) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body_text = text_of(value).encode("utf-8", "replace")
    return Response(body_text, status, media_type="application/json", headers=headers)


def page_of(items: Iterable[object], following: str | None) -> Response:
    return answer({"items": [plain(item) for item in items], "next": following})


def nothing() -> Response:
    return Response(status_code=204)


async def body(request: Request) -> Any:
    """The JSON of a small body; an empty one is an empty object."""
    return _read(await _bytes(request, MOST, "This body is larger than 1 MiB, the most for JSON."))


async def large_body(request: Request, most: int, too_much: str) -> Any:
    """The JSON of a body that may be large and may be gzip; `most` is what it may have unpacked."""
    data = await _bytes(request, most, too_much)
    if request.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip"):
        data = await run_in_threadpool(_gunzip, data, most, too_much)
    return await run_in_threadpool(_read, data)


async def _bytes(request: Request, most: int, too_much: str) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            raise TooLarge(too_much)
    return bytes(data)


def _gunzip(data: bytes, most: int, too_much: str) -> bytes:
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(data, most + 1)
    except zlib.error as why:
        raise BadRequest(f"The body says it is gzip, and is not: {why}.", code="not_gzip") from why
    if len(plain) > most:
        raise TooLarge(too_much)
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


def page_asked(request: Request) -> tuple[str | None, int]:
    """`?cursor=` and `?limit=`."""
    limit = number(request.query_params.get("limit", str(PAGE)))
    if limit is None or not 1 <= limit <= MOST_ITEMS:
        raise Invalid({"limit": f"Ask for 1 to {MOST_ITEMS} items"})
    return request.query_params.get("cursor") or None, limit


def number_cursor(cursor: str | None) -> int | None:
    found = number(cursor) if cursor else None
    if cursor and found is None:
        raise Invalid({"cursor": "This cursor did not come from Homeport; start without one"})
    return found


def number(text: str) -> int | None:
    """Digits that the database can hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None


def one_of(request: Request, name: str, words: tuple[str, ...]) -> str | None:
    value = request.query_params.get(name) or None
    if value is not None and value not in words:
        raise Invalid({name: f"Choose one of {', '.join(words)}"})
    return value


def seconds_asked(request: Request) -> float:
    """`?wait=`: how long the caller wants to wait, at most ten minutes."""
    text = request.query_params.get("wait")
    if text is None:
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 600:
        raise Invalid({"wait": "Wait 0 to 600 seconds"})
    return seconds
