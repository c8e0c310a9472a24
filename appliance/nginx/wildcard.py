"""What the one server for the addresses of deployments is made of: under a domain, all is passed on to Homeport."""

import ipaddress
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Self

from appliance.nginx.values import is_host, is_listen, refused, require_listen
from appliance.settings import Settings

KEY = "@deployments"  # stands where a URL has its host name, and can't be one
_ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104 - read, not bound


@dataclass(frozen=True)
class Wildcard:
    """Every name under a domain, and where Homeport itself listens."""

    host: ClassVar[str] = KEY
    domain: str
    upstream: str
    listen: tuple[str, ...]

    def __post_init__(self) -> None:
        if "." not in self.domain or not is_host(self.domain):
            raise refused(f"{self.domain!r} is no domain.", "Set HOMEPORT_NGINX_DEPLOYMENTS to one, or to nothing.")
        if ":" not in self.upstream or not is_listen(self.upstream):
            raise refused(
                f"{self.upstream!r} is no address that NGINX could pass anything on to.",
                "Set HOMEPORT_HOST to an address, such as 127.0.0.1.",
            )
        require_listen(self.listen)

    @property
    def server_name(self) -> str:
        return name_of(self.domain)

    @property
    def essence(self) -> tuple[str, ...]:
        """The lines without which a file that was edited is for something else."""
        return (f"server_name {self.server_name};", f"proxy_pass http://{self.upstream};")

    @property
    def text(self) -> str:
        """The one spelling of these values."""
        raw = {"domain": self.domain, "listen": self.listen, "upstream": self.upstream}
        return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read back what `text` gave; HostFailed for what never came from there."""
        try:
            raw = json.loads(text)
            return cls(domain=raw["domain"], upstream=raw["upstream"], listen=tuple(raw["listen"]))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as why:
            raise refused("The file does not say what it is for.") from why


def of_settings(settings: Settings) -> Wildcard:
    return Wildcard(settings.nginx_deployments, upstream(settings), tuple(settings.nginx_listen.split()))


def upstream(settings: Settings) -> str:
    """Where NGINX on this host reaches Homeport, if that is an address."""
    host = _ANYWHERE.get(settings.host, settings.host).strip("[]")
    with suppress(ValueError):
        host = str(ipaddress.ip_address(host))
    return f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"


def name_of(domain: str) -> str:
    """What NGINX calls all that is under a domain."""
    return f"*.{domain}"
