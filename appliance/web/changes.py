"""How much has happened: a page says what it has seen, and its stream whether it has missed anything since."""

from starlette.requests import Request

from appliance.context import Context
from appliance.events import DeploymentChanged, Event, ProjectChanged, UrlChanged
from appliance.web.routes import ctx_of

TOLD = (DeploymentChanged, ProjectChanged, UrlChanged)


class Changes:
    """Counts what pages are told of."""

    def __init__(self, ctx: Context) -> None:
        self.count = 0
        ctx.bus.listen(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, TOLD):
            self.count += 1


def changes(request: Request) -> Changes:
    state = request.app.state
    if not hasattr(state, "changes"):
        state.changes = Changes(ctx_of(request))
    counted: Changes = state.changes
    return counted
