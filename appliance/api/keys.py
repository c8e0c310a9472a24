"""Keys: one's own, and those of other people."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import keys as access_keys
from appliance.access.people.find import find_person
from appliance.api.answers import answer, body, nothing, page_asked, page_of
from appliance.model.keys import Key, NewKey
from appliance.store import keys
from appliance.store.db import Connection
from appliance.web.routes import actor_of, ctx_of, doc


@dataclass(frozen=True)
class KeyShape:
    id: str
    name: str
    prefix: Annotated[str, "How the key begins"]
    projects: Annotated[tuple[str, ...] | None, "The projects that it is kept to; none where it is not kept to places"]
    environments: Annotated[tuple[str, ...] | None, "The same for environments, such as `blog/staging`"]
    permissions: Annotated[tuple[str, ...] | None, "All that it may do; none for all that its maker may"]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    last_used_from: str | None


@dataclass(frozen=True)
class FreshKeyShape(KeyShape):
    key: Annotated[str, "The key itself, shown this once"]


@doc("List your keys", returns=KeyShape, listing=True)
async def listed(request: Request) -> Response:
    return _listed(request, actor_of(request).person_id)


@doc("Create a key", body=NewKey, returns=FreshKeyShape, status=201)
async def created(request: Request) -> Response:
    new = NewKey.parse(await body(request))
    fresh = await run_in_threadpool(access_keys.create_key, ctx_of(request), actor_of(request), new)
    return answer(fresh_shape(ctx_of(request).db.read(), fresh), 201)


@doc("Revoke a key", status=204)
def revoked(request: Request) -> Response:
    access_keys.revoke_key(ctx_of(request), actor_of(request), request.path_params["key"])
    return nothing()


@doc("List a person's keys", returns=KeyShape, listing=True)
async def of_person(request: Request) -> Response:
    person = find_person(ctx_of(request).db.read(), request.path_params["person"])
    return _listed(request, person.id)


@doc("Revoke a person's key", status=204)
def revoked_of(request: Request) -> Response:
    ctx, names = ctx_of(request), request.path_params
    access_keys.revoke_of(ctx, actor_of(request), find_person(ctx.db.read(), names["person"]), names["key"])
    return nothing()


def fresh_shape(db: Connection, fresh: access_keys.FreshKey) -> FreshKeyShape:
    (shape,) = _shapes(db, [fresh.key])
    return FreshKeyShape(**vars(shape), key=fresh.text)


def _listed(request: Request, person_id: str) -> Response:
    db, (cursor, limit) = ctx_of(request).db.read(), page_asked(request)
    page = keys.newest(db, person_id, cursor=cursor, limit=limit)
    return page_of(_shapes(db, page.items), page.next)


def _shapes(db: Connection, found: Iterable[Key]) -> Iterable[KeyShape]:
    for key in found:
        places = key.scope.places
        named = keys.names_of(db, places or ())
        yield KeyShape(
            key.id,
            key.name,
            key.prefix,
            None if places is None else tuple(name for at, name in named.items() if at.environment_id is None),
            None if places is None else tuple(name for at, name in named.items() if at.environment_id is not None),
            key.scope.permissions,
            key.created_at,
            key.expires_at,
            key.last_used_at,
            key.last_used_from,
        )
