"""The domain under which NGINX shows each deployment at an address of its own."""

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Domain:
    name: str
    status: Annotated[str, "`pending`, `active` or `failed`"]
    error: Annotated[str | None, "Why it is not active, and what to do"]
    dns: Annotated[str, "How DNS stands, in words"]
    upstream: Annotated[str, "Where NGINX passes on to"]
    pointed: Annotated[bool, "Whether Homeport made its DNS record"]
