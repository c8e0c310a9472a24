"""Delete an environment or a whole project: the record goes now, what is outside follows from the journal."""

from collections.abc import Iterable

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record, record_in
from appliance.context import Context
from appliance.deploy import paths
from appliance.errors import Conflict
from appliance.events import JobAdded, ProjectChanged
from appliance.machine import files
from appliance.model.environments import Environment
from appliance.projects.find import find_environment, find_project
from appliance.projects.urls import let_go
from appliance.store import deployments, environments, projects, urls
from appliance.store.db import Connection


def delete_project(ctx: Context, actor: Actor, name: str) -> None:
    """Every environment with it. Bundles stay."""
    project = find_project(ctx, name)
    need(actor, "projects.delete", project.at)
    with ctx.write(ProjectChanged(name), JobAdded()) as db:
        held = environments.of_project(db, project.id)
        names, hosts = _listed(one.name for one in held), _listed(url.host for url in urls.of_project(db, project.id))
        for environment in held:
            _empty(ctx, db, environment)
        record(ctx, db, actor, "project.delete", name, project=name, environments=names, urls=hosts)
        projects.remove(db, project.id)
        files.remove_tree(paths.project_folder(ctx, name))  # before anyone can take the name again


def delete_environment(ctx: Context, actor: Actor, project: str, name: str) -> None:
    environment = find_environment(ctx, project, name)
    need(actor, "environments.delete", environment.at)
    with ctx.write(ProjectChanged(project), JobAdded()) as db:
        hosts = _listed(url.host for url in urls.of_environment(db, environment.id))
        _empty(ctx, db, environment)
        record_in(ctx, db, actor, "environment.delete", environment, backend=environment.backend, urls=hosts)
        environments.remove(db, environment.id)
        paths.pointer(ctx, project, name).unlink(missing_ok=True)


def _listed(names: Iterable[str]) -> str:
    """For the record: what there was."""
    return ", ".join(names)


def _empty(ctx: Context, db: Connection, environment: Environment) -> None:
    """Refuse while something runs; let its URLs go."""
    for deployment in deployments.waiting(db, environment.id):
        if deployment.status == "running":
            raise Conflict(
                f"#{deployment.number} is running in {environment.place}.",
                code="busy",
                todo=("Wait until it ends, or cancel it. Then delete again.",),
            )
        deployments.finish(db, deployment.id, "cancelled", ctx.moment())
    let_go(ctx, db, environment)
