"""Both backends over real sockets: a real NGINX, and Homeport itself in Uvicorn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from appliance.backends import load
from appliance.backends.base import Backend
from appliance.model.sites import Site
from appliance.web.proxies import believe
from appliance.web.sites import serve
from tests.releases import make_site, shown_at
from tests.servers import Address, Answer, Nginx, ask, serving

HOST = "www.example.com"
BACKENDS = ("builtin", "nginx")


@dataclass
class Backed:
    """A backend, with a site in it and the address where the site answers."""

    backend: Backend
    site: Site
    data: Path
    address: Address

    def ask(self, target: str | bytes, **more: Any) -> Answer:
        return ask(self.address, target, HOST, **more)


P = TypeVar("P", bound=Backed)


@contextmanager
def both(folder: Path, shape: type[P]) -> Iterator[dict[str, P]]:
    """By name."""
    data = folder / "data"
    data.mkdir()
    found: dict[str, P] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        site = found["builtin"].site
        believe(scope, found["builtin"].backend.settings.trusted_proxies)
        host = dict(scope["headers"])[b"host"].decode().partition(":")[0]
        shown = shown_at(site.pointer, site.guard_of(host), site.earlier)
        await serve(scope, receive, send, replace(shown, front=site.front(host)))

    with Nginx(folder / "nginx") as nginx, serving(app) as address:
        settings = nginx.settings(data, host=address[0], port=address[1])
        for name, where in zip(BACKENDS, (address, nginx.address), strict=True):
            site = make_site(data, HOST, project=name, port=address[1])
            found[name] = shape(load(name, settings), site, data, where)
        yield found
