"""Invite somebody: a link for one address, shown once, that works once and not for long."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from appliance.access import mail
from appliance.access.actor import Actor
from appliance.access.address import own_address
from appliance.access.giving import need_now, refuse_grant_beyond, refuse_role_beyond
from appliance.access.missing import no_environment, no_project
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, NotFound
from appliance.events import JobAdded
from appliance.machine import clock
from appliance.model.invitations import Invitation, NewInvitation, NewPromise, Promised
from appliance.store import environments, invitations, people, projects
from appliance.store.db import Connection

SEEN_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Invited:
    """An invitation just made, with the link that is never shown again."""

    invitation: Invitation
    link: str
    sent: bool


def invite(ctx: Context, actor: Actor, new: NewInvitation) -> Invited:
    token = secrets.token_urlsafe(24)
    with ctx.write(JobAdded()) as db:
        need_now(db, actor, "people.create")
        _refuse_known(ctx, db, new.email)
        invitation = Invitation(
            id=clock.new_id(),
            email=new.email,
            role=new.role,
            grants=tuple(_promised(db, one) for one in new.grants),
            created_at=ctx.moment(),
            created_by=actor.name,
            maker_id=actor.person_id or None,
            expires_at=expiry(ctx),
        )
        refuse_promise_beyond(db, actor, invitation)
        invitations.add(db, invitation, hash_of(token))
        record(ctx, db, actor, "person.invite", new.email, role=new.role, grants=_in_words(invitation))
        return _sent(ctx, db, invitation, token)


def invite_again(ctx: Context, actor: Actor, invitation_id: str) -> Invited:
    """A new link, which is its maker's own as if they had invited; the one before stops working."""
    token = secrets.token_urlsafe(24)
    with ctx.write(JobAdded()) as db:
        need_now(db, actor, "people.create")
        found = _found(db, invitation_id)
        refuse_promise_beyond(db, actor, found)
        renewed = replace(
            found,
            created_at=ctx.moment(),
            created_by=actor.name,
            maker_id=actor.person_id or None,
            expires_at=expiry(ctx),
        )
        invitations.renew(db, renewed, hash_of(token))
        record(ctx, db, actor, "person.invite_again", found.email, role=found.role)
        return _sent(ctx, db, renewed, token)


def revoke_invitation(ctx: Context, actor: Actor, invitation_id: str) -> None:
    with ctx.write() as db:
        need_now(db, actor, "people.create")
        found = _found(db, invitation_id)
        refuse_promise_beyond(db, actor, found)
        invitations.remove(db, found.id)
        record(ctx, db, actor, "person.uninvite", found.email)


def forget_ended(ctx: Context) -> None:
    """After a while in which they can still be seen, and made anew."""
    with ctx.db.write(lasting=False) as db:
        invitations.forget_expired(db, clock.text(ctx.now() - SEEN_FOR))


def refuse_promise_beyond(db: Connection, actor: Actor, invitation: Invitation) -> None:
    refuse_role_beyond(db, actor, invitation.role)
    for one in invitation.grants:
        refuse_grant_beyond(db, actor, one.role, one.at)


def expiry(ctx: Context) -> str:
    return clock.text(ctx.now() + timedelta(days=ctx.settings.invitation_days))


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def link_with(ctx: Context, token: str) -> str:
    return f"{own_address(ctx)}/invitation?token={token}"


def _sent(ctx: Context, db: Connection, invitation: Invitation, token: str) -> Invited:
    """By e-mail too, where that is set up."""
    link, sent = link_with(ctx, token), mail.is_set(ctx.settings)
    if sent:
        text = _MESSAGE.format(maker=invitation.created_by, address=own_address(ctx), link=link, email=invitation.email)
        mail.post(ctx, db, invitation.email, "An invitation to Homeport", text)
    return Invited(invitation, link, sent)


def _found(db: Connection, invitation_id: str) -> Invitation:
    found = invitations.find(db, invitation_id)
    if found is None or found.joining:
        raise NotFound(
            "There is no such invitation; it may have been accepted or revoked already.", code="no_invitation"
        )
    return found


def _refuse_known(ctx: Context, db: Connection, email: str) -> None:
    if people.find_by_email(db, email):
        raise Conflict(f"{email} is here already.", code="here_already")
    before = invitations.find_for(db, email, joining=False)
    if before and before.expires_at > ctx.moment():
        raise Conflict(
            f"{email} is invited already.",
            code="invited_already",
            todo=("Make a new link for that invitation, or revoke it first.",),
        )
    if before:
        invitations.remove(db, before.id)


def _promised(db: Connection, new: NewPromise) -> Promised:
    project = projects.find(db, new.project)
    if project is None:
        raise no_project(new.project)
    if new.environment is None:
        return Promised(project.name, None, new.role, project.at)
    environment = environments.find(db, project.name, new.environment)
    if environment is None:
        raise no_environment(project.name, new.environment)
    return Promised(project.name, environment.name, new.role, environment.at)


def _in_words(invitation: Invitation) -> str:
    return ", ".join(" ".join(filter(None, (one.project, one.environment, one.role))) for one in invitation.grants)


_MESSAGE = """\
{maker} invites you to Homeport at {address}.

Choose a password here; the link works once, for {email} alone:

{link}

Where you don't know what this is about, there is nothing to do.
"""
