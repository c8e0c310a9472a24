"""Activity: what anyone did, append-only."""

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Activity:
    id: int
    at: str
    actor: Annotated[str, "Who did it"]
    actor_kind: Annotated[str, "`person`, `key` or `homeport`"]
    verb: Annotated[str, "What was done, such as `project.create`"]
    subject: Annotated[str, "To what, such as `blog` or `www.example.com`"]
    project: str | None
    environment: str | None
    deployment: Annotated[str | None, "The deployment that it is about"]
    door: Annotated[str, "How it came in: `browser`, `api`, `host` or `job`"]
    ip: str | None
    data: Annotated[dict[str, object], "Anything more that was recorded"]
