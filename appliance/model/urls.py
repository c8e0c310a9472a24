"""A URL: a host name that points at an environment."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader
from appliance.model.places import Place

STATUSES = ("pending", "active", "failed")
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

    @property
    def at(self) -> Place:
        return Place(self.project_id, self.environment_id)


@dataclass(frozen=True)
class NewUrl:
    host: Annotated[str, "A host name, such as `www.example.com`"]
    proxied: Annotated[bool | None, "Whether Cloudflare's proxy stands in front; the setting decides when left out"] = (
        None
    )

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        host = reader.checked("host", host_name, missing="Enter a host name")
        proxied = reader.yes("proxied")
        reader.done()
        return cls(host or "", proxied)


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
