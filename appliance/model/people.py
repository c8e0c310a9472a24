"""A person, and the ways they come in."""

import re
from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader
from appliance.model.grants import Grant

EMAIL = re.compile(r"[^@\s\"'<>\\,;:]{1,64}@[^@\s\"'<>\\,;:]{1,190}")
SHORTEST = 12
LONGEST_BYTES = 72
ROLES = ("owner", "admin", "developer", "viewer", "none")


@dataclass(frozen=True)
class Person:
    id: str
    email: str
    role: str
    created_at: str


@dataclass(frozen=True)
class Portrait:
    """A person, and what a list says of them."""

    person: Person
    teams: tuple[str, ...]
    grants: tuple[Grant, ...]  # of their own
    second_factor: bool
    last_seen_at: str | None

    @property
    def email(self) -> str:
        return self.person.email


@dataclass(frozen=True)
class RolePatch:
    role: Annotated[str, "`admin`, `developer`, `viewer` or `none`; owners are made in a way of their own"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        role = reader.checked("role", _lesser_role, missing=f"Choose one of {', '.join(ROLES[1:])}")
        reader.done()
        return cls(role or "")


@dataclass(frozen=True)
class Credentials:
    email: Annotated[str, "The e-mail address"]
    password: Annotated[str, "The password"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        email = reader.text("email", missing="Enter an e-mail address", most=255)
        password = reader.text("password", missing="Enter a password")
        reader.done()
        return cls(email.strip(), password)


@dataclass(frozen=True)
class NewPerson:
    email: Annotated[str, "The e-mail address"]
    password: Annotated[str, "At least 12 characters, at most 72 bytes"]
    role: Annotated[str, "What they may do here"] = "owner"

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        email = reader.checked("email", email_address, missing="Enter an e-mail address")
        password = reader.checked("password", new_password, missing="Enter a password")
        role = reader.checked("role", role_name, optional=True)
        reader.done()
        return cls(email or "", password or "", role or "owner")


@dataclass(frozen=True)
class SetUp:
    token: Annotated[str, "The one-time token from the set-up link"]
    email: Annotated[str, "The owner's e-mail address"]
    password: Annotated[str, "At least 12 characters, at most 72 bytes"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        token = reader.text("token", missing="The set-up link is incomplete; open it again", most=200)
        email = reader.checked("email", email_address, missing="Enter an e-mail address")
        password = reader.checked("password", new_password, missing="Enter a password")
        reader.done()
        return cls(token, email or "", password or "")


@dataclass(frozen=True)
class Forgotten:
    email: Annotated[str, "The e-mail address of the account"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        email = reader.checked("email", email_address, missing="Enter an e-mail address")
        reader.done()
        return cls(email or "")


@dataclass(frozen=True)
class Reset:
    token: Annotated[str, "The token from the link"]
    password: Annotated[str, "At least 12 characters, at most 72 bytes"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        token = reader.text("token", missing="The link is incomplete; open it again", most=200)
        password = reader.checked("password", new_password, missing="Enter a password")
        reader.done()
        return cls(token, password or "")


def is_address(text: str) -> bool:
    return bool(EMAIL.fullmatch(text)) and text.isprintable()


def email_address(text: str) -> str:
    email = text.strip()
    if not is_address(email):
        raise ValueError("Enter an e-mail address, such as you@example.com")
    return email


def role_name(text: str) -> str:
    if text not in ROLES:
        raise ValueError(f"Choose one of {', '.join(ROLES)}")
    return text


def _lesser_role(text: str) -> str:
    if text not in ROLES[1:]:
        raise ValueError(f"Choose one of {', '.join(ROLES[1:])}")
    return text


def new_password(text: str) -> str:
    if len(text) < SHORTEST:
        raise ValueError(f"Use at least {SHORTEST} characters; a few words do well")
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        raise ValueError(f"Use at most {LONGEST_BYTES} bytes: what comes after would not count")
    if "\0" in text:
        raise ValueError("Leave out the character NUL: it can't be part of a password")
    return text
