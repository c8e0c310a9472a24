"""What is said beside a secret that is never shown."""

from datetime import datetime

from appliance.context import Context
from appliance.settings import ABOUT
from appliance.store import saved
from appliance.web import words


def secret_hint(ctx: Context, name: str, otherwise: str) -> str:
    """Who set it and when, or where it comes from."""
    at, by = saved.rows(ctx.db.read()).get(name, ("", ""))
    if at:
        when = words.since(datetime.fromisoformat(at), ctx.now())
        return f"Set {when} by {by}. It is never shown; type a new one to replace it."
    if getattr(ctx.settings, name):
        return f"Set by {ABOUT[name].env}. One that is saved here comes first."
    return otherwise
