"""Create a project, with its production environment."""

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record
from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.places import default_backend
from appliance.errors import Conflict
from appliance.events import ProjectChanged
from appliance.model.projects import NewProject, Project
from appliance.projects.rename import refuse_being_freed
from appliance.store import environments, projects


def create_project(ctx: Context, actor: Actor, new: NewProject) -> Project:
    need(actor, "projects.create")
    backend = default_backend(ctx)
    with ctx.write(ProjectChanged(new.name)) as db:
        if projects.find(db, new.name):
            raise Conflict(f"There is a project {new.name} already.", code="name_taken", todo=("Choose another name.",))
        refuse_being_freed(paths.project_folder(ctx, new.name), new.name)
        project = projects.add(db, new.name, ctx.moment(), actor.name)
        environments.add(db, project.id, "production", backend, ctx.moment())
        record(ctx, db, actor, "project.create", project.name, project=project.name)
    return project
