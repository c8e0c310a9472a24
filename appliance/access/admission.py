"""Whether somebody may do what a request asks, to what its address names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.access import missing
from appliance.access.actor import Actor
from appliance.access.permissions import OF_THE_APPLIANCE, may, need_somewhere, powers, refusal
from appliance.context import Context
from appliance.errors import NotFound
from appliance.model.places import Place
from appliance.store import deployments, environments, projects, urls
from appliance.store.db import Connection

SEE = "projects.read"


@dataclass(frozen=True)
class _Named:
    """What an address names: where it is, and how it is told that it isn't there."""

    places: Sequence[Place]
    missing: NotFound
    unseen: bool = False  # it is there all the same


def admit(ctx: Context, actor: Actor, permission: str, names: Mapping[str, str]) -> None:
    """What may not be seen isn't there; what may be seen but not done is refused."""
    if may(actor, permission):
        return
    if not actor.signed_in or actor.lacks_factor or permission in OF_THE_APPLIANCE:
        raise refusal(actor, permission)
    named = _named(ctx, actor, names)
    if named is None:
        need_somewhere(actor, permission)
        return
    if not _held(actor, SEE, named):
        named.missing.refused = permission if named.unseen or named.places else ""
        raise named.missing
    if not _held(actor, permission, named):
        raise refusal(actor, permission)


def _held(actor: Actor, permission: str, named: _Named) -> bool:
    """In a project that is named alone, it is enough to hold it somewhere within: what is done there asks again."""
    held = powers(actor)
    return any(
        held.hold(permission, place) if place.environment_id else held.hold_within(permission, place.project_id)
        for place in named.places
    )


def _named(ctx: Context, actor: Actor, names: Mapping[str, str]) -> _Named | None:
    db = ctx.db.read()
    if "project" in names:
        return _in_project(db, actor, names["project"], names.get("environment"))
    if "deployment" in names:
        deployment = deployments.find(db, names["deployment"])
        return _Named([deployment.at] if deployment else (), missing.no_deployment())
    if "host" in names:
        url = urls.find(db, names["host"])
        return _Named([url.at] if url else (), missing.no_url(names["host"]))
    if "sha256" in names:
        return _Named(deployments.places_of_bundle(db, names["sha256"]), missing.no_bundle())
    return None


def _in_project(db: Connection, actor: Actor, name: str, environment: str | None) -> _Named:
    project = projects.find(db, name)
    if project is None or environment is None or not powers(actor).hold_within(SEE, project.id):
        places = [project.at] if project and environment is None else ()
        return _Named(places, missing.no_project(name), unseen=project is not None)
    found = environments.find(db, name, environment)
    return _Named([found.at] if found else (), missing.no_environment(name, environment))
