"""An environment of a project: where a bundle goes live."""

from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.approvals import ApprovalRule
from appliance.model.deployments import ID
from appliance.model.fields import UNSEEN, Reader, name_of
from appliance.model.places import Place
from appliance.model.rules import Guard

BACKENDS = ("builtin", "nginx")


@dataclass(frozen=True)
class Freeze:
    """Nothing is deployed to an environment that is frozen."""

    message: Annotated[str, "Why, for whoever wants to deploy"]
    by: Annotated[str, "Who froze it"]
    at: str


@dataclass(frozen=True)
class NewFreeze:
    message: Annotated[str, "Why, in one line of at most 300 characters; whoever wants to deploy reads it"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        message = reader.checked("message", _one_line, missing="Say why, for whoever wants to deploy")
        reader.done()
        return cls(message or "")


@dataclass(frozen=True)
class Environment:
    id: int
    project_id: int
    project: str
    name: str
    backend: str
    created_at: str
    live: Annotated[str | None, "The id of the live deployment"] = None
    site: str = "{}"  # how its next deployments answer, as `model/site_settings.py` reads it
    guard: Guard = Guard()
    frozen: Freeze | None = None
    approval: ApprovalRule | None = None

    @property
    def place(self) -> str:
        """How an environment is called in a sentence."""
        return f"{self.project} {self.name}"

    @property
    def at(self) -> Place:
        return Place(self.project_id, self.id)


@dataclass(frozen=True)
class NewEnvironment:
    name: Annotated[str, "Small letters, digits and dashes, at most 40; starts with a letter"]
    backend: Annotated[str | None, "`builtin` or `nginx`; the server's setting decides when it is left out"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("name", _name, missing="Enter a name for the environment")
        backend = reader.checked("backend", _backend, optional=True)
        reader.done()
        return cls(name or "", backend)


@dataclass(frozen=True)
class EnvironmentPatch:
    name: Annotated[str | None, "The new name"] = None
    backend: Annotated[str | None, "`builtin` or `nginx`"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("name", _name, optional=True)
        backend = reader.checked("backend", _backend, optional=True)
        reader.done()
        return cls(name, backend)


def _name(text: str) -> str:
    """Its place in an address is also that of a deployment's id."""
    name = name_of("environment")(text)
    if ID.fullmatch(name):
        raise ValueError("Deployments are called like this; choose another name")
    return name


def _backend(text: str) -> str:
    if text not in BACKENDS:
        raise ValueError(f"Choose one of {', '.join(BACKENDS)}")
    return text


def _one_line(text: str) -> str:
    message = text.strip()
    if not message or UNSEEN.search(message):
        raise ValueError("Say why in one line, in words that can be seen")
    if len(message) > 300:
        raise ValueError("Keep the message to 300 characters")
    return message
