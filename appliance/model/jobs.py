"""A job: a unit of background work, claimed from the database."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    id: int
    kind: str
    subject: str
    queue: str
    attempts: int
