"""People and invitations."""

from dataclasses import dataclass
from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from appliance.access.people import accept, change, invite, join, remove
from appliance.access.people.find import find_person
from appliance.api.access import PersonShape, SetUpDone
from appliance.api.answers import answer, body, nothing, page_asked, page_of
from appliance.api.grants import GrantShape, grant_shape
from appliance.errors import NotFound
from appliance.model.invitations import Acceptance, Invitation, Joining, NewInvitation
from appliance.model.people import Portrait, RolePatch
from appliance.store import invitations, people
from appliance.web.routes import actor_of, ctx_of, doc

SEARCH = {"q": "Only those with this text in their address"}


@dataclass(frozen=True)
class PortraitShape:
    id: str
    email: str
    role: Annotated[str, "`owner`, `admin`, `developer`, `viewer` or `none`"]
    teams: Annotated[tuple[str, ...], "The teams that they are in"]
    grants: Annotated[tuple[GrantShape, ...], "What was granted to them besides, without their teams"]
    second_factor: Annotated[bool, "Whether they sign in with more than a password"]
    last_seen_at: str | None
    created_at: str


@dataclass(frozen=True)
class PromisedShape:
    project: str
    environment: Annotated[str | None, "None for the whole project"]
    role: str


@dataclass(frozen=True)
class InvitationShape:
    id: str
    email: str
    role: str
    grants: Annotated[tuple[PromisedShape, ...], "What is granted besides, once it is accepted"]
    joining: Annotated[bool, "Asked for by somebody with an address in a domain that may join"]
    created_at: str
    created_by: str
    expires_at: str


@dataclass(frozen=True)
class FreshInvitationShape(InvitationShape):
    link: Annotated[str, "The link itself, shown this once"]
    sent: Annotated[bool, "Whether it goes out by e-mail too"]


@doc("List people", returns=PortraitShape, listing=True, query=SEARCH)
async def listed(request: Request) -> Response:
    cursor, limit = page_asked(request)
    q = request.query_params.get("q", "")
    page = people.portraits(ctx_of(request).db.read(), q, cursor=cursor, limit=limit)
    return page_of((_portrait(one) for one in page.items), page.next)


@doc("Show a person, by id or address", returns=PortraitShape)
async def shown(request: Request) -> Response:
    return _one(request, request.path_params["person"])


@doc("Give a person another role", body=RolePatch, returns=PortraitShape)
async def changed(request: Request) -> Response:
    patch = RolePatch.parse(await body(request))
    return await _change(request, patch.role)


@doc("Make a person an owner", returns=PortraitShape)
async def made_owner(request: Request) -> Response:
    return await _change(request, "owner")


@doc("Remove a person; their sessions and keys end at once", status=204)
def removed(request: Request) -> Response:
    remove.remove_person(ctx_of(request), actor_of(request), request.path_params["person"])
    return nothing()


@doc("Leave: remove yourself", status=204)
def left(request: Request) -> Response:
    remove.leave(ctx_of(request), actor_of(request))
    return nothing()


@doc("List invitations that were not accepted yet", returns=InvitationShape, listing=True)
async def invitations_listed(request: Request) -> Response:
    cursor, limit = page_asked(request)
    page = invitations.newest(ctx_of(request).db.read(), cursor=cursor, limit=limit)
    return page_of((_invitation(one) for one in page.items), page.next)


@doc("Invite somebody", body=NewInvitation, returns=FreshInvitationShape, status=201)
async def invited(request: Request) -> Response:
    new = NewInvitation.parse(await body(request))
    return _fresh(await run_in_threadpool(invite.invite, ctx_of(request), actor_of(request), new))


@doc("Make a new link for an invitation; the one before stops working", returns=FreshInvitationShape, status=201)
async def invited_again(request: Request) -> Response:
    which = request.path_params["invitation"]
    return _fresh(await run_in_threadpool(invite.invite_again, ctx_of(request), actor_of(request), which))


@doc("Revoke an invitation", status=204)
def uninvited(request: Request) -> Response:
    invite.revoke_invitation(ctx_of(request), actor_of(request), request.path_params["invitation"])
    return nothing()


@doc("Accept an invitation", body=Acceptance, returns=SetUpDone, status=201)
async def accepted(request: Request) -> Response:
    given = Acceptance.parse(await body(request))
    ip, agent = request.scope["state"]["ip"], request.headers.get("user-agent", "")
    done = await run_in_threadpool(
        accept.accept, ctx_of(request), actor_of(request), given, door="api", ip=ip, agent=agent
    )
    person = PersonShape(done.person.id, done.person.email, done.person.role, done.person.created_at)
    return answer(SetUpDone(done.token, done.expires_at, person), 201)


@doc("Ask for a link to join by, with an address in a domain that may", body=Joining, status=204)
async def asked_to_join(request: Request) -> Response:
    asked = Joining.parse(await body(request))
    await run_in_threadpool(join.ask_to_join, ctx_of(request), asked, ip=request.scope["state"]["ip"])
    return nothing()


async def _change(request: Request, role: str) -> Response:
    who = request.path_params["person"]
    await run_in_threadpool(change.change_role, ctx_of(request), actor_of(request), who, role)
    return _one(request, who)


def _one(request: Request, who: str) -> Response:
    db = ctx_of(request).db.read()
    found = people.portrait(db, find_person(db, who).id)
    if found is None:
        raise NotFound(f"There is nobody here by {who}.", code="no_person")
    return answer(_portrait(found))


def _portrait(one: Portrait) -> PortraitShape:
    person = one.person
    grants = tuple(grant_shape(grant) for grant in one.grants)
    return PortraitShape(
        person.id, person.email, person.role, one.teams, grants, one.second_factor, one.last_seen_at, person.created_at
    )


def _invitation(one: Invitation) -> InvitationShape:
    grants = tuple(PromisedShape(it.project, it.environment, it.role) for it in one.grants)
    return InvitationShape(
        one.id, one.email, one.role, grants, one.joining, one.created_at, one.created_by, one.expires_at
    )


def _fresh(made: invite.Invited) -> Response:
    return answer(FreshInvitationShape(**vars(_invitation(made.invitation)), link=made.link, sent=made.sent), 201)
