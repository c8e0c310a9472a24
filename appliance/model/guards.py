"""Changing what stands before an environment: a password, a maintenance page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader

USER = "visitor"  # whoever sets a password without a name
LONGEST_PASSWORD = 72  # bytes: what its hash looks at
_USER = re.compile(r"[A-Za-z0-9._@+-]{1,64}")


@dataclass(frozen=True)
class GuardPatch:
    """What is left out stays as it is."""

    user: Annotated[str | None, "The name that goes with the password; `visitor` when none was given"] = None
    password: Annotated[str | None, "8 to 72 characters; null or empty takes the password away"] = None
    maintenance: Annotated[str | None, "What the maintenance page says; null or empty ends it"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        sent = set(raw) if isinstance(raw, Mapping) else set()
        values = {
            name: reader.checked(name, check, optional=True) or ""
            for name, check in (("user", user_name), ("password", new_password), ("maintenance", _message))
        }
        reader.done()
        return cls(**{name: value for name, value in values.items() if name in sent})


def user_name(text: str) -> str:
    """Who comes in by a password."""
    if not _USER.fullmatch(text):
        raise ValueError("Use letters, digits and . _ @ + - only, at most 64")
    return text


def new_password(text: str) -> str:
    """One that NGINX and we both can check."""
    if len(text) < 8:
        raise ValueError("Use 8 characters or more")
    if len(text.encode()) > LONGEST_PASSWORD:
        raise ValueError(f"Keep this to {LONGEST_PASSWORD} characters")
    if not text.isprintable():
        raise ValueError("This has a character that can’t be typed")
    return text


def _message(text: str) -> str:
    words = " ".join(text.split())
    if len(words) > 500:
        raise ValueError("Keep this to 500 characters")
    if not words.isprintable():
        raise ValueError("This has a character that can’t be seen")
    return words
