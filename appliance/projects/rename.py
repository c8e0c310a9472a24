"""Give a project or an environment another name, without a moment in which its sites don't answer."""

import os
from pathlib import Path

from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record, record_in
from appliance.context import Context
from appliance.deploy import paths
from appliance.deploy.places import backend_of, site_of
from appliance.errors import Conflict
from appliance.events import JobAdded, ProjectChanged
from appliance.machine import faults, files
from appliance.model.environments import Environment, EnvironmentPatch
from appliance.model.projects import Project, ProjectPatch
from appliance.projects.find import find_environment, find_project
from appliance.store import deployments, environments, jobs, journal, projects, urls
from appliance.store.db import Connection


def rename_project(ctx: Context, actor: Actor, name: str, patch: ProjectPatch) -> Project:
    """Its addresses under .localhost change with it; URLs stay."""
    project = find_project(ctx, name)
    need(actor, "projects.update", project.at)
    if patch.name == name:
        return project
    with ctx.write(ProjectChanged(name), ProjectChanged(patch.name), JobAdded()) as db:
        if projects.find(db, patch.name):
            raise Conflict(
                f"There is a project {patch.name} already.", code="name_taken", todo=("Choose another name.",)
            )
        refuse_being_freed(paths.project_folder(ctx, patch.name), patch.name)
        those = environments.of_project(db, project.id)
        for environment in those:
            _refuse_busy(db, environment)
        projects.rename(db, project.id, patch.name)
        record(ctx, db, actor, "project.rename", patch.name, project=patch.name, was=name)
        left = _move(ctx, db, those, (paths.project_folder(ctx, name), paths.project_folder(ctx, patch.name)))
    _leave(left)
    return find_project(ctx, patch.name)


def change_environment(ctx: Context, actor: Actor, project: str, name: str, patch: EnvironmentPatch) -> Environment:
    """Another name, or another backend."""
    environment = find_environment(ctx, project, name)
    need(actor, "environments.update", environment.at)
    if environment.approval and patch.name not in (None, name):  # a new one could take its place, and ask nobody
        need(actor, "deployments.approve", environment.at)
    left = None
    with ctx.write(ProjectChanged(project), JobAdded()) as db:
        _refuse_busy(db, environment)
        if patch.backend and patch.backend != environment.backend:
            _change_backend(ctx, db, actor, environment, patch.backend)
        if patch.name and patch.name != name:
            left = _rename_environment(ctx, db, actor, environment, patch.name)
    _leave(left)
    return find_environment(ctx, project, patch.name or name)


def refuse_being_freed(place: Path, name: str) -> None:
    """A name is free once what serves URLs has let go of its place."""
    if os.path.lexists(place):
        raise Conflict(
            f"The name {name} is still being freed: what had it was renamed, and its URLs are on their way.",
            code="name_being_freed",
            todo=("Try again in a moment.",),
        )


def _rename_environment(ctx: Context, db: Connection, actor: Actor, environment: Environment, name: str) -> Path | None:
    if environments.find(db, environment.project, name):
        raise Conflict(f"{environment.project} has an environment {name} already.", code="name_taken")
    old, new = (paths.pointer(ctx, environment.project, one) for one in (environment.name, name))
    refuse_being_freed(new, name)
    environments.set_name(db, environment.id, name)
    record_in(ctx, db, actor, "environment.rename", environment, to=name)
    return _move(ctx, db, (environment,), (old, new))


def _change_backend(ctx: Context, db: Connection, actor: Actor, environment: Environment, backend: str) -> None:
    if urls.of_environment(db, environment.id):
        raise Conflict(
            f"{environment.place} has URLs, which {environment.backend} serves.",
            code="has_urls",
            todo=("Remove its URLs, change the backend, then add them again.",),
        )
    environments.set_backend(db, environment.id, backend)
    record_in(ctx, db, actor, "environment.backend", environment, was=environment.backend, to=backend)


def _refuse_busy(db: Connection, environment: Environment) -> None:
    for deployment in deployments.waiting(db, environment.id):
        raise Conflict(
            f"#{deployment.number} is {deployment.status} in {environment.place}.",
            code="busy",
            todo=("Wait until it ends, or cancel it. Then try again.",),
        )


def _refuse_edited(ctx: Context, db: Connection, environment: Environment) -> None:
    """What was edited by hand is not written over, and would go on leading to the old place."""
    hosts = tuple(url.host for url in urls.of_environment(db, environment.id))
    for edit in backend_of(ctx, environment).edits([site_of(ctx, environment, hosts)]):
        if edit.what == "changed":
            raise Conflict(
                f"The NGINX file of {edit.host} was edited by hand, and would have to change for this.",
                code="nginx_edited",
                todo=("Restore it in Settings, NGINX. Then try again.",),
            )


def _move(ctx: Context, db: Connection, those: tuple[Environment, ...], places: tuple[Path, Path]) -> Path | None:
    """The new place is whole before the old one goes; last in its transaction, so that a refusal leaves nothing there.

    Where NGINX looks there, a job leads it to the new place first, and then removes the old one. Where only
    Homeport does, the old place is answered: nobody looks there once the row says so.
    """
    old, new = places
    led = [environment for environment in those if environment.backend != "builtin"]
    hosts = [url.host for environment in led for url in urls.of_environment(db, environment.id)]
    for environment in led:
        _refuse_edited(ctx, db, environment)
    if hosts:
        entry = journal.begin(db, "move", str(old), {"hosts": hosts, "to": str(new)}, ctx.moment())
        jobs.add(db, "place.move", str(entry), queue="hosts", at=ctx.moment())
    for pointer in [old] if old.is_symlink() else old.glob("*"):
        copy = new / pointer.relative_to(old)
        files.make_open(copy.parent)
        files.point(copy, str(pointer.readlink()))
    faults.point("rename")
    return None if hosts else old


def _leave(place: Path | None) -> None:
    """A start would do the same."""
    faults.point("after rename")
    if place:
        files.remove_tree(place)
