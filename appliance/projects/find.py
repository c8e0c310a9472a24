"""Finding a project or an environment, or saying that it isn't there."""

from appliance.context import Context
from appliance.errors import NotFound
from appliance.model.environments import Environment
from appliance.model.projects import Project
from appliance.store import environments, projects


def find_project(ctx: Context, name: str) -> Project:
    found = projects.find(ctx.db.read(), name)
    if found is None:
        raise NotFound(f"There is no project {name}.", code="no_project")
    return found


def find_environment(ctx: Context, project: str, name: str) -> Environment:
    found = environments.find(ctx.db.read(), project, name)
    if found is None:
        find_project(ctx, project)
        raise NotFound(f"There is no environment {name} in {project}.", code="no_environment")
    return found
