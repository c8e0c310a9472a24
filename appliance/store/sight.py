"""Lists show what the asker may see, and nothing that it isn't."""

from dataclasses import dataclass

from appliance.model.places import Place


@dataclass(frozen=True)
class Sight:
    """Some projects whole, and of others some environments. Where there is none of it, everything is seen."""

    projects: frozenset[int] = frozenset()
    environments: frozenset[int] = frozenset()
    partly: frozenset[int] = frozenset()  # the projects that those environments are in


def sees(sight: Sight | None, place: Place) -> bool:
    return sight is None or place.project_id in sight.projects or place.environment_id in sight.environments


def sees_some(sight: Sight | None, project_id: int) -> bool:
    """Whether there is anything in the project to be seen."""
    return sight is None or project_id in sight.projects or project_id in sight.partly


def environments_in(sight: Sight | None, project: str, environment: str) -> str:
    """The rest of a WHERE, by the columns that name a row's project and environment."""
    if sight is None:
        return ""
    return f" AND ({project} IN ({_list(sight.projects)}) OR {environment} IN ({_list(sight.environments)}))"


def projects_in(sight: Sight | None, project: str) -> str:
    """The same for projects: one is seen when anything in it is."""
    return "" if sight is None else f" AND {project} IN ({_list(sight.projects | sight.partly)})"


def names_in(sight: Sight | None, project: str, environment: str) -> str:
    """The same for rows that keep names; one of a project alone is seen with the whole project."""
    if sight is None:
        return ""
    whole = f"SELECT name FROM projects WHERE id IN ({_list(sight.projects)})"  # noqa: S608 - numbers only
    within = f"""SELECT p.name, e.name FROM environments e JOIN projects p ON p.id = e.project_id
        WHERE e.id IN ({_list(sight.environments)})"""  # noqa: S608
    return f" AND ({project} IN ({whole}) OR ({project}, {environment}) IN ({within}))"


def _list(numbers: frozenset[int]) -> str:
    """Numbers of rows, so there is nothing in them to escape."""
    return ",".join(str(int(number)) for number in sorted(numbers))
