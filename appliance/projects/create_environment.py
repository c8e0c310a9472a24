"""Create an environment of a project."""

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record_in
from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.places import default_backend
from appliance.errors import Conflict
from appliance.events import ProjectChanged
from appliance.model.environments import Environment, NewEnvironment
from appliance.projects.find import find_environment, find_project
from appliance.projects.rename import refuse_being_freed
from appliance.store import environments


def create_environment(ctx: Context, actor: Actor, project_name: str, new: NewEnvironment) -> Environment:
    project = find_project(ctx, project_name)
    need(actor, "environments.create", project.at)
    backend = new.backend or default_backend(ctx)
    with ctx.write(ProjectChanged(project.name)) as db:
        if environments.find(db, project.name, new.name):
            raise Conflict(
                f"{project.name} has an environment {new.name} already.",
                code="name_taken",
                todo=("Choose another name.",),
            )
        refuse_being_freed(paths.pointer(ctx, project.name, new.name), new.name)
        environments.add(db, project.id, new.name, backend, ctx.moment())
        made = environments.find(db, project.name, new.name)
        assert made is not None  # noqa: S101 - just inserted, for the type checker
        record_in(ctx, db, actor, "environment.create", made, backend=backend)
    return find_environment(ctx, project.name, new.name)
