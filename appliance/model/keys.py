"""A key: an API key, which may do what its person may do."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Self

from appliance.model.fields import Reader


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


@dataclass(frozen=True)
class NewKey:
    name: Annotated[str, "What it is for, such as `nightly build`"]
    expires_at: Annotated[str | None, "When it stops working; never when left out"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("name", one_line, missing="Enter a name for the key")
        expires_at = reader.checked("expires_at", moment, optional=True)
        if expires_at is not None and datetime.fromisoformat(expires_at) <= datetime.now(UTC):
            reader.wrong("expires_at", "That moment has passed; choose a later one")
        reader.done()
        return cls(name or "", expires_at)


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
