"""Grants: what a person or a team may do in one project or environment."""

from appliance.access.actor import Actor
from appliance.access.giving import need_now, refuse_grant_beyond
from appliance.access.missing import no_environment, no_project
from appliance.access.people.find import find_person
from appliance.access.people.teams import find_team
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import NotFound
from appliance.machine import clock
from appliance.model.grants import Grant, NewGrant
from appliance.model.places import Place
from appliance.model.projects import Project
from appliance.store import environments, grants, projects
from appliance.store.db import Connection


def put_grant(ctx: Context, actor: Actor, project: str, new: NewGrant) -> Grant:
    """One for each place and person or team: another role takes the place of the one before."""
    with ctx.write() as db:
        found = _project(db, project)
        need_now(db, actor, "grants.update", found.at)
        grant = _wanted(ctx, db, actor, found, new)
        refuse_grant_beyond(db, actor, grant.role, grant.at)
        before = grants.find_at(db, grant)
        if before and before.role == grant.role:
            return before
        grants.put(db, grant)
        record(
            ctx,
            db,
            actor,
            "grant.put",
            grant.person or grant.team or "",
            project=project,
            environment=grant.environment,
            was=before.role if before else "",
            now=grant.role,
        )
    return grant


def find_grant(db: Connection, project: str, grant_id: str) -> Grant:
    found = grants.find(db, grant_id)
    if found is None or found.project != project:
        raise NotFound(f"There is no such grant in {project}.", code="no_grant")
    return found


def remove_grant(ctx: Context, actor: Actor, project: str, grant_id: str) -> None:
    with ctx.write() as db:
        place = _project(db, project)
        need_now(db, actor, "grants.update", place.at)
        grant = find_grant(db, project, grant_id)
        grants.remove(db, grant.id)
        record(
            ctx,
            db,
            actor,
            "grant.remove",
            grant.person or grant.team or "",
            project=project,
            environment=grant.environment,
            was=grant.role,
        )


def _project(db: Connection, name: str) -> Project:
    found = projects.find(db, name)
    if found is None:
        raise no_project(name)
    return found


def _wanted(ctx: Context, db: Connection, actor: Actor, project: Project, new: NewGrant) -> Grant:
    place = _place(db, project, new.environment)
    person = find_person(db, new.person) if new.person else None
    team = find_team(db, new.team) if new.team else None
    return Grant(
        id=clock.new_id(),
        person=person.email if person else None,
        team=team.name if team else None,
        person_id=person.id if person else None,
        team_id=team.id if team else None,
        project=project.name,
        environment=new.environment,
        project_id=project.id,
        environment_id=place.environment_id,
        role=new.role,
        created_at=ctx.moment(),
        created_by=actor.name,
    )


def _place(db: Connection, project: Project, environment: str | None) -> Place:
    if environment is None:
        return project.at
    found = environments.find(db, project.name, environment)
    if found is None:
        raise no_environment(project.name, environment)
    return found.at
