"""Accept an invitation: one link makes one person, however many ask at once."""

from appliance.access import passwords, sessions
from appliance.access.actor import Actor
from appliance.access.giving import refuse_grant_beyond, refuse_role_beyond
from appliance.access.people.allowed import may_join
from appliance.access.people.invite import hash_of
from appliance.access.powers_of import powers_of
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, Forbidden, NotFound
from appliance.machine import clock
from appliance.model.grants import Grant
from appliance.model.invitations import Acceptance, Invitation
from appliance.model.people import Person
from appliance.store import grants, invitations, people
from appliance.store.db import Connection


def look_at(ctx: Context, token: str) -> Invitation:
    """What a link invites to; raises NotFound where it does not work."""
    return _open(ctx, ctx.db.read(), token)


def accept(
    ctx: Context, actor: Actor, given: Acceptance, *, door: str, ip: str | None, agent: str = ""
) -> sessions.SignedIn:
    refuse_somebody_else(actor)
    look_at(ctx, given.token)
    hashed = passwords.hashed(given.password)
    with ctx.write() as db:
        invitation = _open(ctx, db, given.token)
        person = settle(ctx, db, invitation.email, invitation, hashed, door=door, ip=ip)
    return sessions.begin(ctx, person, door=door, ip=ip, agent=agent)


def refuse_somebody_else(actor: Actor) -> None:
    if actor.signed_in:
        raise Conflict(
            f"You are signed in as {actor.name}, and an invitation is for somebody who is not here yet.",
            code="signed_in",
            todo=("Sign out, then open the link again.",),
        )


def settle(
    ctx: Context, db: Connection, email: str, invitation: Invitation, hashed: str, *, door: str, ip: str | None
) -> Person:
    """Make the person that an invitation is for, with what it promises."""
    if people.find_by_email(db, email):
        raise Conflict(f"{email} is here already. Sign in instead.", code="here_already")
    person = Person(clock.new_id(), email, invitation.role, ctx.moment())
    people.add(db, person, hashed)
    for one in invitation.grants:
        grants.put(
            db,
            Grant(
                id=clock.new_id(),
                person=email,
                team=None,
                person_id=person.id,
                team_id=None,
                project=one.project,
                environment=one.environment,
                project_id=one.at.project_id,
                environment_id=one.at.environment_id,
                role=one.role,
                created_at=person.created_at,
                created_by=invitation.created_by,
            ),
        )
    invitations.forget_for(db, email)
    actor = Actor("person", email, person.role, person.id, door=door, ip=ip)
    record(ctx, db, actor, "person.join", email, role=person.role, invited_by=invitation.created_by)
    return person


def is_open(ctx: Context, db: Connection, invitation: Invitation) -> bool:
    """In time, and by somebody who could still invite so: what its maker lost, it lost too."""
    if invitation.expires_at <= ctx.moment():
        return False
    if invitation.joining:
        return may_join(ctx.settings, invitation.email) and invitation.role == ctx.settings.join_role
    maker = people.find(db, invitation.maker_id) if invitation.maker_id else None
    if maker is None:
        return invitation.maker_id is None
    actor = Actor("person", maker.email, maker.role, maker.id, powers=powers_of(db, maker))
    try:
        refuse_role_beyond(db, actor, invitation.role)
        for one in invitation.grants:
            refuse_grant_beyond(db, actor, one.role, one.at)
    except Forbidden:
        return False
    return True


def no_password() -> str:
    """For who comes in by other means. It is told apart, so that nobody loses their last way in."""
    return passwords.NONE


def _open(ctx: Context, db: Connection, token: str) -> Invitation:
    found = invitations.find_by_hash(db, hash_of(token)) if token else None
    if found is None or not is_open(ctx, db, found):
        raise NotFound(
            "This link does not work (any more). It was used, it ended, or it was taken back.",
            code="no_invitation",
            todo=("Ask whoever invited you for a new one.",),
        )
    return found
