"""A project: something people visit."""

from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.fields import Reader, name_of
from appliance.model.places import Place


@dataclass(frozen=True)
class Project:
    id: int
    name: Annotated[str, "Small letters, digits and dashes; part of its address"]
    created_at: Annotated[str, "When it was created"]
    created_by: Annotated[str, "Who created it"]

    @property
    def at(self) -> Place:
        return Place(self.id)


@dataclass(frozen=True)
class NewProject:
    name: Annotated[str, "Small letters, digits and dashes, at most 40; starts with a letter"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("name", name_of("project"), missing="Enter a name for the project")
        reader.done()
        return cls(name or "")


@dataclass(frozen=True)
class ProjectPatch:
    name: Annotated[str, "The new name"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        return cls(NewProject.parse(raw).name)
