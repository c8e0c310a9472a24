"""A deployment: one attempt to make a bundle live in an environment. Never edited afterwards."""

import re
from dataclasses import dataclass
from typing import Annotated, Self

from appliance.model.approvals import Approval
from appliance.model.fields import Reader, name_of
from appliance.model.places import Place

STATUSES = ("queued", "running", "succeeded", "failed", "cancelled", "skipped")
FINAL = frozenset({"succeeded", "failed", "cancelled", "skipped"})
SOURCES = ("upload", "rollback", "promotion", "variables")
ID = re.compile("[0-9a-hjkmnp-tv-z]{20}")  # also the first part of its permanent address
STEPS = ("upload", "unpack", "inspect", "publish", "probe", "mark live", "tidy")


@dataclass(frozen=True)
class Step:
    name: str
    status: Annotated[str, "`waiting`, `running`, `succeeded`, `failed` or `skipped`"]
    started_at: str | None = None
    finished_at: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class Failure:
    """Why a deployment ended badly, in words, and what to do."""

    code: str
    detail: str
    todo: Annotated[tuple[str, ...], "What to do, in order"] = ()
    said: Annotated[str, "What the machine said, word for word"] = ""


@dataclass(frozen=True)
class Deployment:
    id: str
    number: Annotated[int, "Counts up in its project"]
    project: Annotated[str, "The project's name"]
    environment: Annotated[str, "The environment's name"]
    environment_id: int
    status: Annotated[str, "`queued`, `running`, `succeeded`, `failed`, `cancelled` or `skipped`"]
    live: Annotated[bool, "Whether visitors get this one now"]
    source: Annotated[str, "`upload`, `rollback`, `promotion` or `variables`"]
    bundle: Annotated[str, "The bundle's SHA-256"]
    size: Annotated[int, "Bytes of the bundle"]
    files: Annotated[int, "Files in it"]
    steps: tuple[Step, ...]
    error: Failure | None
    created_by: Annotated[str, "Who started it"]
    created_at: str
    started_at: str | None
    finished_at: str | None
    origin: Annotated[
        str | None, "For a rollback, a promotion or new variables: the deployment whose release it is"
    ] = None
    origin_number: Annotated[int | None, "That deployment's number"] = None
    overtaken_by: Annotated[str | None, "For a skipped one: the deployment that overtook it"] = None
    overtaken_number: Annotated[int | None, "That deployment's number"] = None
    cancel_asked_by: Annotated[str | None, "Who asked for it to stop"] = None
    release: Annotated[str | None, "The release that it made live"] = None
    rules: Annotated[str | None, "The key of the rules that were frozen with it"] = None
    variables: Annotated[str | None, "The version of the variables that it was made with"] = None
    project_id: int = 0
    replaced: Annotated[str | None, "The deployment that was live until this one was"] = None
    approval: Approval | None = None

    @property
    def at(self) -> Place:
        return Place(self.project_id, self.environment_id)

    @property
    def over(self) -> bool:
        return self.status in FINAL

    @property
    def place(self) -> str:
        return f"{self.project} {self.environment}"


@dataclass(frozen=True)
class Rollback:
    to: Annotated[str | None, "The deployment to go back to; the one that was live before when left out"] = None

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        to = reader.text("to", optional=True, most=40)
        reader.done()
        return cls(to or None)


@dataclass(frozen=True)
class Promotion:
    from_: Annotated[str, "The environment whose live deployment is taken"]

    @classmethod
    def parse(cls, raw: object) -> Self:
        reader = Reader(raw)
        name = reader.checked("from", name_of("environment"), missing="Name the environment to take it from")
        reader.done()
        return cls(name or "")
