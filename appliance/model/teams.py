"""A team: people to whom something can be granted at once."""

from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader, name_of


@dataclass(frozen=True)
class Team:
    id: str
    name: str
    created_at: str
    created_by: str


@dataclass(frozen=True)
class NewTeam:
    name: Annotated[str, "Letters, digits and dashes; unique here"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("name", name_of("team"), missing="Enter a name for the team")
        reader.done()
        return cls(name or "")


@dataclass(frozen=True)
class TeamPatch:
    name: Annotated[str, "The new name"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        return cls(NewTeam.parse(raw).name)


@dataclass(frozen=True)
class NewMember:
    person: Annotated[str, "The person's e-mail address, or id"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        person = reader.checked("person", str.strip, missing="Enter the e-mail address of somebody who is here")
        reader.done()
        return cls(person or "")
