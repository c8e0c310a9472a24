"""Join without anybody's doing: by an address that is known to be one's own, in a domain that may."""

import secrets

from appliance.access import mail, sessions
from appliance.access.actor import HOMEPORT
from appliance.access.address import own_address
from appliance.access.people.accept import is_open, no_password, settle
from appliance.access.people.allowed import may_join
from appliance.access.people.invite import expiry, hash_of, link_with
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, NotFound
from appliance.events import JobAdded
from appliance.machine import clock
from appliance.model.invitations import Invitation, Joining
from appliance.model.people import Person, is_address
from appliance.settings import Settings
from appliance.store import invitations, people
from appliance.store.db import Connection


def join(ctx: Context, email: str, *, verified: bool, door: str = "browser", ip: str | None = None) -> Person | None:
    """For who comes from a provider that vouches for the address: invited, or of a domain that may join."""
    if not verified or not is_address(email) or people.find_by_email(ctx.db.read(), email):
        return None
    if not _welcome(ctx, ctx.db.read(), email):
        return None
    hashed = no_password()
    with ctx.write() as db:
        invitation = _welcome(ctx, db, email)
        if invitation is None or people.find_by_email(db, email):
            return None
        return settle(ctx, db, email, invitation, hashed, door=door, ip=ip)


def can_ask(settings: Settings) -> bool:
    """Whether a link can be asked for by e-mail."""
    return bool(settings.join_domains) and mail.is_set(settings)


def ask_to_join(ctx: Context, asked: Joining, *, ip: str | None) -> None:
    """Sends a link where that may be, and says the same either way."""
    if not can_ask(ctx.settings):
        raise NotFound("There is nothing at this address.")
    subjects = (f"join {asked.email.lower()}", f"join from {ip}")
    sessions.THROTTLE.check(ctx, *subjects)
    sessions.THROTTLE.failed(ctx, *subjects)
    if not may_join(ctx.settings, asked.email):
        raise Conflict(
            "Addresses of that domain don’t join by themselves.", code="other_domain", todo=("Ask for an invitation.",)
        )
    token = secrets.token_urlsafe(24)
    with ctx.write(JobAdded()) as db:
        if people.find_by_email(db, asked.email):
            return
        _forget_before(db, asked.email)
        invitations.add(db, _by_domain(ctx, asked.email), hash_of(token))
        text = _MESSAGE.format(address=own_address(ctx), link=link_with(ctx, token))
        mail.post(ctx, db, asked.email, "Your account at Homeport", text)
        record(ctx, db, HOMEPORT, "person.ask", asked.email)


def _welcome(ctx: Context, db: Connection, email: str) -> Invitation | None:
    """What they come in by: an invitation, or their domain."""
    invited = invitations.find_for(db, email, joining=False)
    if invited and is_open(ctx, db, invited):
        return invited
    return _by_domain(ctx, email) if may_join(ctx.settings, email) else None


def _by_domain(ctx: Context, email: str) -> Invitation:
    return Invitation(
        id=clock.new_id(),
        email=email,
        role=ctx.settings.join_role,
        grants=(),
        created_at=ctx.moment(),
        created_by="Homeport",
        maker_id=None,
        expires_at=expiry(ctx),
        joining=True,
    )


def _forget_before(db: Connection, email: str) -> None:
    if before := invitations.find_for(db, email, joining=True):
        invitations.remove(db, before.id)


_MESSAGE = """\
Somebody, most likely you, asked to join Homeport at {address} with this address.

Choose a password here; the link works once:

{link}

Where it was not you, there is nothing to do.
"""
