"""A URL: a host name that points at an environment."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from appliance.model import fronts, guards
from appliance.model.certificates import Certificate
from appliance.model.fields import Reader
from appliance.model.fronts import PRIMARY, Front
from appliance.model.places import Place

STATUSES = ("pending", "active", "failed")
WILD = "*."
NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
LABEL = re.compile(r"[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Part:
    """One part of a URL: its NGINX file or its DNS record."""

    status: Annotated[str, "`none`, `waiting`, `pending`, `ok` or `failed`"]
    detail: str = ""
    note: str = ""


@dataclass(frozen=True)
class Url:
    host: str
    project: str
    environment: str
    environment_id: int
    status: Annotated[str, "`pending`, `active` or `failed`"]
    error: Annotated[str | None, "Why it is not active, and what to do"]
    nginx: Part
    dns: Part
    proxied: bool | None
    created_at: str
    created_by: str
    project_id: int = 0
    primary: bool = False  # chosen as the address of its environment
    front: Front = Front()
    certificate: Certificate | None = None

    @property
    def at(self) -> Place:
        return Place(self.project_id, self.environment_id)

    @property
    def is_wildcard(self) -> bool:
        return self.host.startswith(WILD)

    @property
    def serves(self) -> bool:
        """Whether it can be an address: one name, and its own site at it."""
        return not self.front.redirect_to and not self.is_wildcard


@dataclass(frozen=True, kw_only=True)
class UrlPatch:
    """What is left out stays as it is."""

    primary: Annotated[bool | None, "Whether it is the address of its environment; the oldest is until one is"] = None
    redirect_to: Annotated[
        str | None, "`primary` or another URL of the environment to lead visitors to; null or empty to show the site"
    ] = None
    redirect_status: Annotated[int | None, "`301`, `302`, `307` or `308`; the path and the query are kept"] = None
    allow: Annotated[
        tuple[str, ...] | None,
        "Addresses and networks that visitors may come from, such as `10.0.0.0/8`; `private` is every private one; "
        "empty for any",
    ] = None
    user: Annotated[str | None, "The name that goes with the password; `visitor` when none was given"] = None
    password: Annotated[
        str | None, "8 to 72 characters, asked for here in place of the environment's; null or empty takes it away"
    ] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        values = _settings_in(reader, raw)
        reader.done()
        return cls(**values)

    def of(self, front: Front, hashed: str | None) -> Front:
        """What a URL has before its site, with this said of it. A name without a password is forgotten."""
        given: dict[str, Any] = {
            "redirect_to": self.redirect_to,
            "redirect_status": self.redirect_status,
            "allow": self.allow,
            "user": self.user,
            "password": hashed,
        }
        made = replace(front, **{name: value for name, value in given.items() if value is not None})
        return replace(
            made,
            redirect_status=made.redirect_status if made.redirect_to else Front().redirect_status,
            user=(made.user or guards.USER) if made.password else "",
        )


@dataclass(frozen=True, kw_only=True)
class NewUrl(UrlPatch):
    host: Annotated[str, "A host name, such as `www.example.com`, or `*.preview.example.com` for every name under it"]
    proxied: Annotated[bool | None, "Whether Cloudflare's proxy stands in front; the setting decides when left out"] = (
        None
    )

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        host = reader.checked("host", url_host, missing="Enter a host name")
        proxied = reader.yes("proxied")
        values = _settings_in(reader, raw)
        reader.done()
        return cls(host=host or "", proxied=proxied, **values)


def main_of(those: Iterable[Url]) -> Url | None:
    """Of one environment: the one that was chosen as its address, else the oldest that can be."""
    serving = [url for url in those if url.serves]
    chosen = next((url for url in serving if url.primary), None)
    return chosen or min(serving, key=lambda url: (url.created_at, url.host), default=None)


def fronts_of(those: Iterable[Url]) -> dict[str, Front]:
    """Of all of one environment, each leading to a host where it leads elsewhere; to nothing where that is gone."""
    known = {url.host: url for url in those}
    main = main_of(known.values())
    found = {}
    for host, url in known.items():
        to = main.host if main and url.front.redirect_to == PRIMARY else url.front.redirect_to
        there = known.get(to)
        found[host] = replace(url.front, redirect_to=to if there and there.serves else "")
    return found


def url_host(text: str) -> str:
    """A host name, or `*.` and one: every name that has a single part more."""
    bare = text.strip()
    if "*" in bare.removeprefix(WILD):
        raise ValueError("A star can only be the whole first part, as in *.preview.example.com")
    if not bare.startswith(WILD):
        return host_name(bare)
    under = host_name(bare.removeprefix(WILD))
    if "." not in under:
        raise ValueError("Enter more than one part after the star, as in *.preview.example.com")
    return f"{WILD}{under}"


def wildcard_over(host: str) -> str:
    """The wildcard that would take a host name in."""
    return f"{WILD}{host.partition('.')[2]}"


def _settings_in(reader: Reader, raw: object) -> dict[str, Any]:
    """What was sent of them; null is as good as empty."""
    sent = set(raw) if isinstance(raw, Mapping) else set()
    values = {
        "primary": reader.yes("primary"),
        "redirect_to": reader.checked("redirect_to", _target, optional=True) or "",
        "redirect_status": reader.number("redirect_status", default=Front().redirect_status, least=301, most=308),
        "allow": _allowed(reader),
        "user": reader.checked("user", guards.user_name, optional=True) or "",
        "password": reader.checked("password", guards.new_password, optional=True) or "",
    }
    if values["redirect_status"] not in fronts.STATUSES:
        reader.wrong("redirect_status", "Choose 301, 302, 307 or 308")
    return {name: value for name, value in values.items() if name in sent}


def _target(text: str) -> str:
    return PRIMARY if text.strip().lower() == PRIMARY else host_name(text)


def _allowed(reader: Reader) -> tuple[str, ...]:
    try:
        return fronts.networks(reader.several("allow", fronts.checked))
    except ValueError as why:
        reader.wrong("allow", str(why))
        return ()


def host_name(text: str) -> str:
    """The one rule for host names: lower case, punycode, no port, no address, no wildcard."""
    host = text.strip().lower().rstrip(".")
    if "://" in host or "/" in host:
        raise ValueError("Enter a host name alone, without http:// or a path")
    if "*" in host:
        raise ValueError("Wildcards can't be used here; add each host name by itself")
    if _is_address(host):
        raise ValueError("Enter a host name, not an address")
    if ":" in host:
        raise ValueError("Enter a host name without a port")
    if not host.isascii():
        host = _punycode(host)
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError("Enter a host name of letters, digits, dots and dashes")
    if host == "localhost" or host.endswith(".localhost"):
        raise ValueError("Names under .localhost are given by Homeport itself; enter another host name")
    return host


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return NUMBER.fullmatch(text.rpartition(".")[2]) is not None  # what browsers read as an address of numbers
    return True


def _punycode(host: str) -> str:
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError("That is not a host name that can be looked up") from None
