"""Where people reach this appliance, for links that go out: never taken from what a request says of itself."""

from appliance.context import Context
from appliance.store import saved


def own_address(ctx: Context) -> str:
    """The one that was set; without one, what the last start found."""
    found = ctx.settings.url or saved.meta(ctx.db.read(), "address") or f"http://{ctx.base.host}:{ctx.base.port}"
    return found.rstrip("/")
