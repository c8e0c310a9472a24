"""An address that somebody typed, and that something is to be sent to."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

LONGEST = 1000
_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")  # what some resolvers take for an address in another spelling
_WRONG = "Enter an address that begins with https://, such as https://hooks.example.net/deploys"


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str  # a name, or an address in its one spelling
    port: int
    path: str  # with what is asked; begins with a slash

    @classmethod
    def parse(cls, text: str) -> Self:
        """By http or https, to a host in its plain form, without a name or a password in it."""
        address = text.strip()
        if (
            not address.isascii()
            or not address.isprintable()
            or len(address) > LONGEST
            or re.search(r'[\s\\<>"]', text)
        ):
            raise ValueError(_WRONG)
        try:
            parts = urlsplit(address)
            host, port = _host(parts.hostname or ""), parts.port
        except ValueError:
            raise ValueError(_WRONG) from None
        if parts.scheme not in ("http", "https") or port == 0 or parts.fragment:
            raise ValueError(_WRONG)
        if "@" in parts.netloc:
            raise ValueError("Leave out the name and the password before the @")
        asked = f"?{parts.query}" if parts.query else ""
        return cls(parts.scheme, host, port or {"http": 80, "https": 443}[parts.scheme], (parts.path or "/") + asked)

    @property
    def netloc(self) -> str:
        """As a Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == {"http": 80, "https": 443}[self.scheme]
        return host if usual else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        return f"{self.origin}{self.path}"


def _host(text: str) -> str:
    """No other spelling of an address: decimal, octal, hexadecimal, shortened, or with a zone."""
    host = text.removesuffix(".")
    if ":" in host and "%" not in host:
        return str(ipaddress.IPv6Address(host))
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return str(ipaddress.IPv4Address(host))
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise ValueError(host)
    return host
