"""A grant: what a person or a team may do in one project or environment."""

from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader
from appliance.model.places import Place

GRANTABLE = ("viewer", "developer", "admin")


@dataclass(frozen=True)
class Grant:
    id: str
    person: Annotated[str | None, "The person's e-mail address"]
    team: Annotated[str | None, "Or the team's name"]
    person_id: str | None
    team_id: str | None
    project: str
    environment: Annotated[str | None, "The environment; none for the whole project"]
    project_id: int
    environment_id: int | None
    role: Annotated[str, "`viewer`, `developer` or `admin`"]
    created_at: str
    created_by: str

    @property
    def at(self) -> Place:
        return Place(self.project_id, self.environment_id)


@dataclass(frozen=True)
class NewGrant:
    role: Annotated[str, "`viewer`, `developer` or `admin`"]
    person: Annotated[str | None, "The person's e-mail address"] = None
    team: Annotated[str | None, "Or the team's name"] = None
    environment: Annotated[str | None, "The environment; the whole project when left out"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        role = reader.checked("role", grantable, missing=f"Choose one of {', '.join(GRANTABLE)}")
        person = reader.checked("person", str.strip, optional=True)
        team = reader.checked("team", str.strip, optional=True)
        environment = reader.checked("environment", str.strip, optional=True)
        if (person is None) == (team is None):
            reader.wrong("person", "Name a person or a team")
        reader.done()
        return cls(role or "", person, team, environment)


def grantable(text: str) -> str:
    """A role that can be held in a single place."""
    if text not in GRANTABLE:
        raise ValueError(f"Choose one of {', '.join(GRANTABLE)}")
    return text
