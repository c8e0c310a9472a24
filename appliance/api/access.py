"""Set-up, sign-in, keys."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import keys as access_keys
from appliance.access import sessions, setup
from appliance.access.permissions import ROLES
from appliance.api.answers import answer, body, nothing, page_asked, page_of
from appliance.errors import BadRequest, NotFound
from appliance.model.keys import Key, NewKey
from appliance.model.people import Credentials, Person, SetUp
from appliance.store import keys, people
from appliance.web.routes import actor_of, ctx_of, doc


@dataclass(frozen=True)
class PersonShape:
    id: str
    email: str
    role: str
    created_at: str


@dataclass(frozen=True)
class SetUpDone:
    token: Annotated[str, "A session token"]
    expires_at: str
    person: PersonShape


@dataclass(frozen=True)
class SessionShape:
    token: Annotated[str, "Send it as `Authorization: Bearer`"]
    expires_at: str


@dataclass(frozen=True)
class Me:
    id: str
    email: str
    role: str
    kind: Annotated[str, "`person` or `key`"]
    name: Annotated[str, "How activity calls you"]
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class KeyShape:
    id: str
    name: str
    prefix: Annotated[str, "How the key begins"]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    last_used_from: str | None


@dataclass(frozen=True)
class FreshKeyShape(KeyShape):
    key: Annotated[str, "The key itself, shown this once"]


@doc("Make the first account", body=SetUp, returns=SetUpDone, status=201)
async def set_up(request: Request) -> Response:
    ctx = ctx_of(request)
    if not setup.needed(ctx):
        raise NotFound("There is nothing at this address.")
    given = SetUp.parse(await body(request))
    state, agent = request.scope["state"], request.headers.get("user-agent", "")
    done = await run_in_threadpool(setup.set_up, ctx, given, door="api", ip=state["ip"], agent=agent)
    return answer(SetUpDone(done.token, done.expires_at, _person(done.person)), 201)


@doc("Sign in", body=Credentials, returns=SessionShape, status=201)
async def log_in(request: Request) -> Response:
    given = Credentials.parse(await body(request))
    state, agent = request.scope["state"], request.headers.get("user-agent", "")
    done = await run_in_threadpool(sessions.sign_in, ctx_of(request), given, door="api", ip=state["ip"], agent=agent)
    return answer(SessionShape(done.token, done.expires_at), 201)


@doc("End this session", status=204)
def log_out(request: Request) -> Response:
    actor = actor_of(request)
    if not actor.session:
        raise BadRequest("A key has no session to end; revoke the key instead.", code="no_session")
    sessions.sign_out(ctx_of(request), actor)
    return nothing()


@doc("Who you are and what you may do", returns=Me)
async def me(request: Request) -> Response:
    actor = actor_of(request)
    person = people.find(ctx_of(request).db.read(), actor.person_id)
    if person is None:
        raise NotFound("This account is gone.")
    may = tuple(sorted(ROLES.get(person.role, ())))
    return answer(Me(person.id, person.email, person.role, actor.kind, actor.name, may))


@doc("List your keys", returns=KeyShape, listing=True)
async def list_keys(request: Request) -> Response:
    cursor, limit = page_asked(request)
    page = keys.newest(ctx_of(request).db.read(), actor_of(request).person_id, cursor=cursor, limit=limit)
    return page_of((_key(key) for key in page.items), page.next)


@doc("Create a key", body=NewKey, returns=FreshKeyShape, status=201)
async def create_key(request: Request) -> Response:
    new = NewKey.parse(await body(request))
    fresh = await run_in_threadpool(access_keys.create_key, ctx_of(request), actor_of(request), new)
    return answer(FreshKeyShape(**vars(_key(fresh.key)), key=fresh.text), 201)


@doc("Revoke a key", status=204)
def revoke_key(request: Request) -> Response:
    access_keys.revoke_key(ctx_of(request), actor_of(request), request.path_params["key"])
    return nothing()


def _key(key: Key) -> KeyShape:
    return KeyShape(key.id, key.name, key.prefix, key.created_at, key.expires_at, key.last_used_at, key.last_used_from)


def _person(person: Person) -> PersonShape:
    return PersonShape(person.id, person.email, person.role, person.created_at)
