"""Who else can say who somebody is: Google, GitHub, or any issuer of OpenID Connect."""

import ipaddress
from dataclasses import dataclass, field
from typing import Annotated, Self
from urllib.parse import urlsplit

from appliance.model.fields import UNSEEN, Reader, name_of

KINDS = {"google": "https://accounts.google.com", "github": "https://github.com", "oidc": ""}
NAMES = {"google": "Google", "github": "GitHub", "oidc": ""}


@dataclass(frozen=True)
class Provider:
    id: str
    name: str
    kind: str  # `google`, `github` or `oidc`
    issuer: str
    client_id: str
    secret: str = field(repr=False)  # sealed
    second_factor: bool  # whether its second factor counts as ours
    created_at: str
    created_by: str


@dataclass(frozen=True)
class NewProvider:
    kind: Annotated[str, "`google`, `github` or `oidc`"]
    client_id: Annotated[str, "What the provider calls this appliance"]
    client_secret: Annotated[str, "The secret that it gave"] = field(repr=False)
    id: Annotated[str, "A short name, which stands in the address that people are sent back to"] = ""
    name: Annotated[str, "What the button says after “Sign in with”"] = ""
    issuer: Annotated[str, "The issuer's address; for GitHub, that of a server of one's own"] = ""
    second_factor: Annotated[bool, "Whether its second factor counts, so that ours is not asked for"] = False

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        kind = reader.checked("kind", _kind, missing=f"Choose one of {', '.join(KINDS)}") or ""
        short = reader.checked("id", name_of("short"), optional=True) or (kind if NAMES.get(kind) else "")
        name = reader.checked("name", _name, optional=True) or NAMES.get(kind, "")
        issuer = reader.checked("issuer", _issuer, optional=True) or ""
        client_id = reader.checked("client_id", _typed, missing="Enter the client's id") or ""
        secret = reader.checked("client_secret", _typed, optional=kind == "oidc", missing="Enter its secret") or ""
        second_factor = bool(reader.yes("second_factor", default=False))
        if kind == "oidc" and not short:
            reader.wrong("id", "Enter a short name, such as company")
        if kind == "oidc" and not name:
            reader.wrong("name", "Enter a name for the button")
        if kind == "oidc" and not issuer:
            reader.wrong("issuer", "Enter the issuer's address, such as https://login.example.net")
        if kind == "google" and issuer not in ("", KINDS["google"]):
            reader.wrong("issuer", "Google has one address alone; leave this empty")
        reader.done()
        return cls(kind, client_id, secret, short, name, issuer or KINDS[kind], second_factor)


@dataclass(frozen=True)
class ProviderPatch:
    """Another issuer is another provider: whoever was known by the one is not by the other."""

    name: Annotated[str | None, "What the button says after “Sign in with”"] = None
    client_id: Annotated[str | None, "What the provider calls this appliance"] = None
    client_secret: Annotated[str | None, "Another secret"] = field(default=None, repr=False)
    second_factor: Annotated[bool | None, "Whether its second factor counts, so that ours is not asked for"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("name", _name, optional=True)
        client_id = reader.checked("client_id", _typed, optional=True)
        secret = reader.checked("client_secret", _typed, optional=True)
        second_factor = reader.yes("second_factor")
        reader.done()
        return cls(name, client_id, secret, second_factor)


def _kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"Choose one of {', '.join(KINDS)}")
    return text


def _name(text: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= 40 or UNSEEN.search(name):
        raise ValueError("Enter a name of at most 40 characters")
    return name


def _typed(text: str) -> str:
    value = text.strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("This has a character that it can't have; copy it again")
    return value


def _issuer(text: str) -> str:
    """By TLS, but on this very host: the keys that tokens are checked with come from there."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))
    plain = address.isascii() and address.isprintable() and " " not in address and parts.username is None
    if not host or port == 0 or not safe or not plain or parts.query or parts.fragment:
        raise ValueError("Enter an address that begins with https://, such as https://login.example.net")
    return address


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
