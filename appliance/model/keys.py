"""A key: an API key, which may do what its person may do, or less."""

import re
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Self

from appliance.model.fields import Reader, name_of
from appliance.model.scopes import EVERYTHING, Scope

PREFIX = "hp_"
LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM, CHECK = 36, 6  # letters
FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM + CHECK}}}")
EARLIER = re.compile(rf"{PREFIX}[0-9A-Za-z_-]{{40}}")  # before keys had a checksum
MOST_PLACES = 50


@dataclass(frozen=True)
class Key:
    id: str
    name: str
    prefix: Annotated[str, "How the key begins, to tell it from others"]
    person_id: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    last_used_from: str | None
    scope: Scope = EVERYTHING
    login: bool = False  # made by `homeport login`, and over when that is


@dataclass(frozen=True)
class NewKey:
    name: Annotated[str, "What it is for, such as `nightly build`"]
    expires_at: Annotated[str | None, "When it stops working; never when left out"] = None
    projects: Annotated[list[str] | None, "Only in these projects"] = None
    environments: Annotated[list[str] | None, "Only in these environments, such as `blog/staging`"] = None
    permissions: Annotated[list[str] | None, "Only these permissions; all that you hold when left out"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("name", one_line, missing="Enter a name for the key")
        expires_at = reader.checked("expires_at", moment, optional=True)
        if expires_at is not None and datetime.fromisoformat(expires_at) <= datetime.now(UTC):
            reader.wrong("expires_at", "That moment has passed; choose a later one")
        projects = _some(reader, raw, "projects")
        environments = _some(reader, raw, "environments")
        permissions = _some(reader, raw, "permissions")
        reader.done()
        return cls(name or "", expires_at, projects, environments, permissions)


def fresh_text() -> str:
    """A key that nobody has had before, with its checksum."""
    text = PREFIX + "".join(secrets.choice(LETTERS) for _ in range(RANDOM))
    return text + checksum(text)


def checksum(text: str) -> str:
    """The CRC-32 of what stands before it, in base 62."""
    number, letters = zlib.crc32(text.encode()), ""
    for _ in range(CHECK):
        number, digit = divmod(number, len(LETTERS))
        letters = LETTERS[digit] + letters
    return letters


def is_whole(text: str) -> bool:
    """Whether it can be a key; one that was cut or mistyped can't."""
    if FORM.fullmatch(text):
        return checksum(text[:-CHECK]) == text[-CHECK:]
    return EARLIER.fullmatch(text) is not None


def one_line(text: str) -> str:
    """A name stands in logs and lists, so it is one line that can be seen."""
    name = text.strip()
    if not name or not name.isprintable():
        raise ValueError("Enter a name of letters, digits and signs, in one line")
    if len(name) > 80:
        raise ValueError("Keep the name to 80 characters")
    return name


def moment(text: str) -> str:
    """RFC 3339, as UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("Enter a time such as 2027-01-31T00:00:00Z") from None
    if at.tzinfo is None:
        raise ValueError("Say the time zone too, such as 2027-01-31T00:00:00Z")
    try:
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    except OverflowError:
        raise ValueError("That moment is out of reach; choose one before the year 9999") from None


def _some(reader: Reader, raw: object, name: str) -> list[str] | None:
    """Left out means not kept to any. An empty list would be a key that can do nothing: nobody means that."""
    check = {"projects": name_of("project"), "environments": _environment}.get(name, str)
    found = reader.several(name, check)
    given = raw.get(name) if isinstance(raw, dict) else None
    if given is None:
        return None
    if not found:
        reader.wrong(name, "Name at least one, or leave this out")
    if len(found) > MOST_PLACES:
        reader.wrong(name, f"Name at most {MOST_PLACES}")
    return list(found)


def _environment(text: str) -> str:
    project, slash, environment = text.partition("/")
    if not slash:
        raise ValueError("Name an environment with its project, such as blog/staging")
    return f"{name_of('project')(project)}/{name_of('environment')(environment)}"
