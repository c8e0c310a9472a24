"""Where something is: a project, or an environment in one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """By numbers, which stay when names change."""

    project_id: int
    environment_id: int | None = None
