"""Confirm it's you: what is dangerous asks again, where a session has been open for a while."""

from datetime import timedelta

from appliance.access.actor import Actor
from appliance.context import Context
from appliance.errors import Forbidden
from appliance.machine import clock

LASTS = timedelta(minutes=10)
CODE = "confirm"


def is_confirmed(ctx: Context, actor: Actor) -> bool:
    """Keys, and Homeport itself, are never asked: nobody is there who could answer."""
    if not actor.session:
        return True
    return bool(actor.confirmed_at) and clock.parse(actor.confirmed_at) + LASTS > ctx.now()


def need_confirmed(ctx: Context, actor: Actor) -> None:
    if not is_confirmed(ctx, actor):
        raise Forbidden(
            "Confirm that it's you first: this session has been open for a while.",
            code=CODE,
            todo=("`POST /api/v1/me/confirm` with your password or a code, or `homeport confirm`. Then ask again.",),
        )


def need_own_session(actor: Actor) -> None:
    """Passwords and factors are changed by the person alone: whoever finds a key can't shut them out."""
    if not actor.session:
        raise Forbidden("A key can't do this. Sign in to do it.", code="session_only")
