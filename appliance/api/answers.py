"""Reading bodies and writing answers."""

import json
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from appliance.api.shapes import plain
from appliance.errors import Invalid
from appliance.web.body import body

__all__ = [
    "answer",
    "body",
    "nothing",
    "number",
    "number_cursor",
    "one_of",
    "page_asked",
    "page_of",
    "seconds_asked",
    "text_of",
]
PAGE, MOST_ITEMS = 50, 200
LONGEST_WAIT = 600  # seconds
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
    if not 0 <= seconds <= LONGEST_WAIT:
        raise Invalid({"wait": "Wait 0 to 600 seconds"})
    return seconds
