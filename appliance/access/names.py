"""By which names people reach this appliance."""

import ipaddress
import json
import socket
from functools import cache
from urllib.parse import urlsplit

from appliance.context import Context
from appliance.settings import Settings
from appliance.store import saved

SEEN_MOST = 20
ANY = "*"


def given(settings: Settings) -> frozenset[str]:
    """The names that an operator gave it."""
    url = urlsplit(settings.url).hostname
    return frozenset(settings.hosts.split()) | ({url} if url else frozenset())


def answers_by(settings: Settings, host: str) -> bool:
    """Any name goes until one was given. A bare address always does: no page elsewhere can borrow it."""
    names = given(settings)
    return not names or ANY in names or host in names or host in _of_this_host() or is_address(host)


def own(ctx: Context) -> frozenset[str]:
    """All that a site can't be called: what was given, and what its people came by."""
    return (given(ctx.settings) - {ANY}) | frozenset(_seen(ctx))


def note(ctx: Context, host: str) -> None:
    """Somebody who looks after it came by this name, so it is not free for a site."""
    names = _seen(ctx)
    if host not in names:
        with ctx.db.write(lasting=False) as db:
            saved.set_meta(db, "names", json.dumps([*names, host][-SEEN_MOST:]))


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _seen(ctx: Context) -> list[str]:
    names: list[str] = json.loads(saved.meta(ctx.db.read(), "names") or "[]")
    return names


@cache
def _of_this_host() -> frozenset[str]:
    """What the machine calls itself, which is how its neighbours reach it."""
    name = socket.gethostname().lower()
    return frozenset({"", "localhost", name, name.partition(".")[0], f"{name.partition('.')[0]}.local"})
