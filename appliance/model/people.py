"""A person, and the ways they come in."""

import re
from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader

EMAIL = re.compile(r"[^@\s\"'<>\\,;:]{1,64}@[^@\s\"'<>\\,;:]{1,190}")
SHORTEST = 12
LONGEST_BYTES = 72


@dataclass(frozen=True)
class Person:
    id: str
    email: str
    role: str
    created_at: str


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

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        email = reader.checked("email", email_address, missing="Enter an e-mail address")
        password = reader.checked("password", new_password, missing="Enter a password")
        reader.done()
        return cls(email or "", password or "")


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


def email_address(text: str) -> str:
    email = text.strip()
    if not EMAIL.fullmatch(email) or not email.isprintable():
        raise ValueError("Enter an e-mail address, such as you@example.com")
    return email


def new_password(text: str) -> str:
    if len(text) < SHORTEST:
        raise ValueError(f"Use at least {SHORTEST} characters; a few words do well")
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        raise ValueError(f"Use at most {LONGEST_BYTES} bytes: what comes after would not count")
    if "\0" in text:
        raise ValueError("Leave out the character NUL: it can't be part of a password")
    return text
