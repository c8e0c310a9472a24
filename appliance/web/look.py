"""What doctor finds, kept for a while: a page never waits long for a look at the host."""

import threading
from dataclasses import dataclass
from time import monotonic

from starlette.requests import Request

from appliance.context import Context
from appliance.doctor.here import examine_here
from appliance.model.checks import Check
from appliance.store import environments
from appliance.web.routes import ctx_of

FRESH = 20.0  # seconds, where someone looks at the checks themselves
GOOD_ENOUGH = 300.0  # for the word at the top of each page
PATIENCE = 0.9
LONG = 12.0
TELLING = ("nginx.test", "nginx.reload", "nginx.program", "disk.bytes", "clock", "dns", "dns.token", "builtin")


@dataclass(frozen=True)
class Found:
    """Every check, and what of it matters here."""

    checks: tuple[Check, ...]
    with_nginx: bool  # whether something on this appliance uses NGINX

    @property
    def trouble(self) -> tuple[Check, ...]:
        """What is not in order, worst first; NGINX counts where it is used."""
        bad = [check for check in self.checks if check.status in ("failed", "warn") and self._counts(check)]
        return tuple(sorted(bad, key=lambda check: check.status))

    @property
    def failing(self) -> int:
        return sum(check.status == "failed" for check in self.trouble)

    @property
    def rest(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check not in self.trouble)

    @property
    def brief(self) -> tuple[Check, ...]:
        """What a newcomer wants to know: the trouble, and a few good words."""
        telling = [check for check in self.rest if check.name in TELLING and check.status != "failed"]
        return (*self.trouble, *telling[:6])

    def _counts(self, check: Check) -> bool:
        return self.with_nginx or not check.name.startswith(("nginx", "port.web"))


class Look:
    """The newest look at the host, shared by everyone who asks at the same time."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._lock = threading.Lock()
        self._looking: threading.Thread | None = None
        self._found: Found | None = None
        self._ended = -GOOD_ENOUGH

    def found(self, *, fresh: float, patience: float) -> Found | None:
        """What there is to know after waiting that long; None when that is nothing yet."""
        with self._lock:
            if self._looking is None and monotonic() - self._ended > fresh:
                self._looking = threading.Thread(target=self._look, name="host-look", daemon=True)
                self._looking.start()
            looking = self._looking
        if looking is not None and patience:
            looking.join(patience)
        return self._found

    def _look(self) -> None:
        checks = tuple(examine_here(self._ctx))
        used = any(one.backend == "nginx" for one in environments.everyone(self._ctx.db.read()))
        with self._lock:
            self._found = Found(checks, used or self._ctx.settings.backend == "nginx")
            self._ended, self._looking = monotonic(), None


def look(request: Request, *, fresh: float = FRESH, patience: float = PATIENCE) -> Found | None:
    state = request.app.state
    if not hasattr(state, "look"):
        state.look = Look(ctx_of(request))
    shared: Look = state.look
    return shared.found(fresh=fresh, patience=patience)
