"""Set-up, sign-in, keys."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access import sessions, setup
from appliance.access.keys import end_login
from appliance.access.permissions import powers
from appliance.api.answers import answer, body, nothing
from appliance.errors import BadRequest, NotFound
from appliance.model.people import Credentials, Person, SetUp
from appliance.store import grants, people
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
class HeldShape:
    project: str
    environment: Annotated[str | None, "None for the whole project"]
    role: Annotated[str, "`viewer`, `developer` or `admin`"]
    team: Annotated[str | None, "The team that it was granted to; none where it was to you"]


@dataclass(frozen=True)
class Me:
    id: str
    email: str
    role: str
    kind: Annotated[str, "`person` or `key`"]
    name: Annotated[str, "How activity calls you"]
    permissions: tuple[str, ...]
    grants: Annotated[tuple[HeldShape, ...], "What was granted besides, to you and your teams"]


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
    if actor.key_id and end_login(ctx_of(request), actor):
        return nothing()
    if not actor.session:
        raise BadRequest("A key has no session to end; revoke the key instead.", code="no_session")
    sessions.sign_out(ctx_of(request), actor)
    return nothing()


@doc("Who you are and what you may do", returns=Me)
async def me(request: Request) -> Response:
    actor = actor_of(request)
    db = ctx_of(request).db.read()
    person = people.find(db, actor.person_id)
    if person is None:
        raise NotFound("This account is gone.")
    may = tuple(sorted(powers(actor).everywhere))
    held = tuple(HeldShape(one.project, one.environment, one.role, one.team) for one in grants.held_by(db, person.id))
    return answer(Me(person.id, person.email, person.role, actor.kind, actor.name, may, held))


def _person(person: Person) -> PersonShape:
    return PersonShape(person.id, person.email, person.role, person.created_at)
