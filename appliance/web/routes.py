"""Routes that say who may use them; one that doesn't stops the start."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from appliance.access.actor import Actor
from appliance.access.admission import admit
from appliance.access.confirmed import need_confirmed
from appliance.access.permissions import DECLARABLE, PUBLIC, refusal, sight
from appliance.context import Context
from appliance.errors import StartFailed
from appliance.store.sight import Sight
from appliance.web.body import LITTLE, MOST, bounded
from appliance.web.quotas import count_try

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
WITHOUT_FACTOR = ("/account", "/confirm", "/logout", "/theme", "/api/v1/me", "/api/v1/logout")  # where one is set up
E = TypeVar("E", bound=Callable[..., object])
Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Doc:
    """What the API docs say of one endpoint."""

    summary: str
    body: type | None = None  # the dataclass that parses the body
    returns: type | None = None  # the dataclass that is answered
    listing: bool = False  # answers a page of those
    whole: bool = False  # one that is always the only page
    status: int = 200
    query: dict[str, str] = field(default_factory=dict)
    other: str = ""  # a body that isn't JSON, in words
    kinds: tuple[str, ...] = ()  # the media types of such a body
    headers: dict[str, str] = field(default_factory=dict)  # what the request says besides
    binary: str = ""  # the media type of an answer that isn't JSON


class Declared(Route):
    """A route with its permission on it."""

    allow: str
    doc: Doc | None
    confirm: bool
    tries: str


def doc(summary: str, **more: Any) -> Callable[[E], E]:
    """What the API docs say, beside the handler that it is about."""

    def note(endpoint: E) -> E:
        endpoint.doc = Doc(summary, **more)  # type: ignore[attr-defined]
        return endpoint

    return note


def route(
    path: str,
    endpoint: Endpoint,
    method: str = "GET",
    *,
    allow: str,
    upload: bool = False,
    tries: str = "",
    confirm: bool = False,
) -> Declared:
    """A body is small but where `upload` says otherwise; `tries` names what is let in less often than the rest.

    With `confirm`, a session that has been open for a while has to show again who is there.
    """
    most = None if upload else LITTLE if allow == PUBLIC else MOST
    name = f"{endpoint.__module__}.{endpoint.__name__}"
    free = allow == PUBLIC or path.startswith(WITHOUT_FACTOR)
    guarded = _guarded(endpoint, allow, most, tries, confirm=confirm, free=free)
    made = Declared(path, guarded, methods=[method], name=name)
    made.allow, made.doc, made.confirm = allow, getattr(endpoint, "doc", None), confirm
    made.tries = tries
    return made


def refuse_undeclared(routes: Sequence[BaseRoute]) -> None:
    """Every route declares who may use it, or the program does not start."""
    for one in routes:
        if isinstance(one, Mount) and one.routes:
            refuse_undeclared(one.routes)
        elif getattr(one, "allow", None) not in DECLARABLE:
            raise StartFailed(
                f"The route {getattr(one, 'path', one)} does not say who may use it.", code="undeclared_route"
            )


def methods_at(routes: Sequence[BaseRoute], path: str) -> list[str]:
    """Every method that an address takes, whichever of its routes takes it."""
    taken = [one.methods or () for one in routes if isinstance(one, Route) and one.path_regex.match(path)]
    return sorted({method for methods in taken for method in methods})


def ctx_of(request: Request) -> Context:
    ctx: Context = request.scope["state"]["ctx"]
    return ctx


def actor_of(request: Request) -> Actor:
    actor: Actor = request.scope["state"]["actor"]
    return actor


def sight_of(request: Request, permission: str) -> Sight | None:
    """What the asker may see in lists; None for all of it."""
    return sight(actor_of(request), permission)


def _guarded(endpoint: Endpoint, allow: str, most: int | None, tries: str, *, confirm: bool, free: bool) -> Any:
    def ready(request: Request) -> Request:
        if tries:
            count_try(request, tries)
        admit(ctx_of(request), actor_of(request), allow, request.path_params)
        if actor_of(request).lacks_factor and not free:
            raise refusal(actor_of(request), allow)
        if confirm:
            need_confirmed(ctx_of(request), actor_of(request), allow)
        return request if most is None or request.method in BODILESS else bounded(request, most)

    if iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def ask_async(request: Request) -> Response:
            answer: Response
            asked = ready(request)
            if not tries or most is None or request.method in BODILESS:
                answer = await endpoint(asked)
            else:
                await asked.body()  # whoever sends it slowly holds up nobody but themselves
                async with asked.scope["state"]["turns"]:
                    answer = await endpoint(asked)
            return answer

        return ask_async

    @wraps(endpoint)
    def ask(request: Request) -> Response:
        answer: Response = endpoint(ready(request))  # type: ignore[assignment]
        return answer

    return ask
