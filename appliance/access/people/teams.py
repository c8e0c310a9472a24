"""Teams: made, renamed and removed; people in and out of them."""

from appliance.access.actor import Actor
from appliance.access.giving import need_now, refuse_grant_beyond
from appliance.access.people.find import find_person
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, NotFound
from appliance.machine import clock
from appliance.model.people import Person
from appliance.model.teams import NewTeam, Team, TeamPatch
from appliance.store import grants, teams
from appliance.store.db import Connection


def find_team(db: Connection, name: str) -> Team:
    found = teams.find(db, name)
    if found is None:
        raise NotFound(f"There is no team {name}.", code="no_team")
    return found


def create_team(ctx: Context, actor: Actor, new: NewTeam) -> Team:
    with ctx.write() as db:
        need_now(db, actor, "teams.create")
        _refuse_taken(db, new.name)
        team = Team(clock.new_id(), new.name, ctx.moment(), actor.name)
        teams.add(db, team)
        record(ctx, db, actor, "team.create", team.name)
    return team


def rename_team(ctx: Context, actor: Actor, name: str, patch: TeamPatch) -> Team:
    with ctx.write() as db:
        need_now(db, actor, "teams.update")
        team = find_team(db, name)
        if patch.name != team.name:
            _refuse_taken(db, patch.name)
            teams.rename(db, team.id, patch.name)
            record(ctx, db, actor, "team.rename", patch.name, was=team.name)
        return find_team(db, patch.name)


def delete_team(ctx: Context, actor: Actor, name: str) -> None:
    """What was granted to it ends with it."""
    with ctx.write() as db:
        need_now(db, actor, "teams.delete")
        team = find_team(db, name)
        teams.remove(db, team.id)
        record(ctx, db, actor, "team.delete", team.name)


def add_member(ctx: Context, actor: Actor, name: str, who: str) -> Person:
    """They hold at once what the team holds, so whoever adds them has to hold that too."""
    with ctx.write() as db:
        need_now(db, actor, "teams.update")
        team, person = find_team(db, name), find_person(db, who)
        for grant in grants.of_team(db, team.id):
            refuse_grant_beyond(db, actor, grant.role, grant.at)
        if teams.add_member(db, team.id, person.id):
            record(ctx, db, actor, "team.add", team.name, person=person.email)
    return person


def remove_member(ctx: Context, actor: Actor, name: str, who: str) -> None:
    with ctx.write() as db:
        need_now(db, actor, "teams.update")
        team, person = find_team(db, name), find_person(db, who)
        if not teams.remove_member(db, team.id, person.id):
            raise NotFound(f"{person.email} is not in the team {team.name}.", code="no_member")
        record(ctx, db, actor, "team.remove", team.name, person=person.email)


def _refuse_taken(db: Connection, name: str) -> None:
    if teams.find(db, name):
        raise Conflict(f"There is a team {name} already.", code="name_taken", todo=("Choose another name.",))
