"""What isn't there, and what may not be seen, is told of in the same words."""

from appliance.errors import NotFound


def no_project(name: str) -> NotFound:
    return NotFound(f"There is no project {name}.", code="no_project")


def no_environment(project: str, name: str) -> NotFound:
    return NotFound(f"There is no environment {name} in {project}.", code="no_environment")


def no_deployment() -> NotFound:
    return NotFound("There is no such deployment; it may have gone with its project.", code="no_deployment")


def no_url(host: str) -> NotFound:
    return NotFound(f"There is no URL {host} here.", code="no_url")


def no_bundle() -> NotFound:
    return NotFound("There is no such bundle here.", code="no_bundle")
