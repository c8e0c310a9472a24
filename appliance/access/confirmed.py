"""Confirm it's you: what is dangerous asks again, where a session has been open for a while."""

from datetime import timedelta

from appliance.access.actor import Actor
from appliance.access.permissions import SIGNED_IN
from appliance.context import Context
from appliance.errors import Forbidden
from appliance.machine import clock

LASTS = timedelta(minutes=10)
CODE = "confirm"
OF_THE_ACCOUNT = ("account.own", SIGNED_IN)


def need_confirmed(ctx: Context, actor: Actor, permission: str) -> None:
    """Keys, and Homeport itself, are never asked: nobody is there who could answer.

    A script that signed in isn't either, but for what changes the person's own account, which no key may do.
    """
    asked = actor.door == "browser" or permission in OF_THE_ACCOUNT
    if actor.session and asked and not _is_confirmed(ctx, actor):
        raise Forbidden(
            "Confirm that it's you first: this session has been open for a while.",
            code=CODE,
            todo=("`POST /api/v1/me/confirm` with your password or a code, or `homeport confirm`. Then ask again.",),
        )


def _is_confirmed(ctx: Context, actor: Actor) -> bool:
    return bool(actor.confirmed_at) and clock.parse(actor.confirmed_at) + LASTS > ctx.now()


def need_own_session(actor: Actor) -> None:
    """Passwords and factors are changed by the person alone: whoever finds a key can't shut them out."""
    if not actor.session:
        raise Forbidden("A key can't do this. Sign in to do it.", code="session_only")
