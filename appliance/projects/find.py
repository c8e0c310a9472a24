"""Finding a project or an environment, or saying that it isn't there."""

from appliance.access.missing import no_environment, no_project, no_url
from appliance.context import Context
from appliance.model.environments import Environment
from appliance.model.projects import Project
from appliance.model.urls import Url
from appliance.store import environments, projects, urls


def find_project(ctx: Context, name: str) -> Project:
    found = projects.find(ctx.db.read(), name)
    if found is None:
        raise no_project(name)
    return found


def find_environment(ctx: Context, project: str, name: str) -> Environment:
    found = environments.find(ctx.db.read(), project, name)
    if found is None:
        find_project(ctx, project)
        raise no_environment(project, name)
    return found


def find_url(ctx: Context, host: str) -> Url:
    found = urls.find(ctx.db.read(), host)
    if found is None:
        raise no_url(host)
    return found
