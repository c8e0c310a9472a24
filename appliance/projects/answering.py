"""Change how an environment answers: with its next deployment, or what stands before it at once."""

import json
from dataclasses import asdict, replace

from appliance.access import passwords
from appliance.access.actor import Actor
from appliance.access.permissions import need
from appliance.access.record import record_in
from appliance.context import Context
from appliance.errors import Conflict
from appliance.events import JobAdded, ProjectChanged
from appliance.model.environments import Environment
from appliance.model.guards import USER, GuardPatch
from appliance.model.rules import Guard
from appliance.model.site_settings import SiteSettings
from appliance.projects.find import find_environment
from appliance.store import environments, jobs, urls

ROUNDS = 5  # every file of a site is asked for with the password, and NGINX checks it each time


def change_site(ctx: Context, actor: Actor, project: str, name: str, wanted: SiteSettings) -> SiteSettings:
    """For the deployments to come; what is live keeps what it froze."""
    environment = find_environment(ctx, project, name)
    need(actor, "environments.update", environment.at)
    before = SiteSettings.of(environment.site)
    if before == wanted:
        return wanted
    was, now = _difference(before, wanted)
    with ctx.write(ProjectChanged(project)) as db:
        environments.set_site(db, environment.id, wanted.text)
        record_in(ctx, db, actor, "environment.site", environment, was=was, now=now)
    return wanted


def change_guard(ctx: Context, actor: Actor, project: str, name: str, patch: GuardPatch) -> Guard:
    """At once, whatever is live. Where NGINX serves the URLs, a job has it read the change."""
    environment = find_environment(ctx, project, name)
    need(actor, "environments.update", environment.at)
    hashed = passwords.hashed(patch.password, ROUNDS) if patch.password else patch.password
    with ctx.write(ProjectChanged(project), JobAdded()) as db:
        now = environments.by_id(db, environment.id) or environment
        guard = _changed(now, patch, hashed)
        if guard == now.guard:
            return guard
        environments.set_guard(db, now.id, guard)
        for verb in _verbs(now.guard, guard):
            record_in(ctx, db, actor, verb, now, was=now.guard.user, now=guard.user)
        if now.backend != "builtin" and urls.of_environment(db, now.id):
            jobs.drop(db, "hosts.settle", "")
            jobs.add(db, "hosts.settle", "", queue="hosts", at=ctx.moment())
    return guard


def _difference(before: SiteSettings, after: SiteSettings) -> tuple[str, str]:
    """What changed, as it was and as it is."""
    was, now = asdict(before), asdict(after)
    changed = [name for name in was if was[name] != now[name]]
    return json.dumps({name: was[name] for name in changed}), json.dumps({name: now[name] for name in changed})


def _changed(environment: Environment, patch: GuardPatch, hashed: str | None) -> Guard:
    guard = environment.guard
    if hashed is not None:
        guard = replace(guard, password=hashed)
    if patch.maintenance is not None:
        guard = replace(guard, maintenance=patch.maintenance)
    if patch.user and not guard.password:
        raise Conflict(
            f"{environment.place} has no password, so there is no name to go with it.",
            code="no_password",
            todo=("Set a password with the name.",),
        )
    return replace(guard, user=(patch.user or guard.user or USER) if guard.password else "")


def _verbs(was: Guard, now: Guard) -> list[str]:
    """What there is to say of it."""
    found = []
    if (was.user, was.password) != (now.user, now.password):
        found.append("environment.guarded" if now.password else "environment.unguarded")
    if was.maintenance != now.maintenance:
        found.append("environment.down" if now.maintenance else "environment.up")
    return found
