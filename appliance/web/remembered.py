"""Answers that stay right until something is committed."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from appliance.web.routes import actor_of

MOST = 512
Endpoint = Callable[[Request], Awaitable[Response]]


class Memory:
    """What was worked out from the database as it is now; all of it is dropped when the database changes."""

    def __init__(self) -> None:
        self._version = -1
        self._known: dict[object, object] = {}

    def at(self, version: int) -> dict[object, object]:
        """The memory for this state of the database. Only ever used on the event loop's thread."""
        if version != self._version or len(self._known) > MOST:
            self._version, self._known = version, {}
        return self._known


def remembered(endpoint: Endpoint) -> Endpoint:
    """For answers made of nothing but the database, the address and who asks."""
    memory = Memory()

    @wraps(endpoint)
    async def ask(request: Request) -> Response:
        known = memory.at(request.scope["state"]["version"])
        key = actor_of(request).id, request.scope["path"], request.scope["query_string"]
        found = known.get(key)
        if not isinstance(found, Response):
            found = known[key] = await endpoint(request)
        return found

    return ask
