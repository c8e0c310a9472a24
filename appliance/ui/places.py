"""Environments as the pages show them: what is live, what was tried since, where it answers."""

from dataclasses import dataclass

from appliance.context import Context
from appliance.deploy import rolled_back
from appliance.deploy.places import address, own_address
from appliance.deploy.rolled_back import RolledBack
from appliance.deploy.submit import rollback_targets
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.urls import Url
from appliance.store import deployments, environments, urls

MAIN = "production"
UNSETTLED = frozenset({"queued", "running", "failed"})


@dataclass(frozen=True)
class Place:
    """An environment and what a list says of it."""

    environment: Environment
    urls: tuple[Url, ...]
    address: str
    local: str  # where Homeport itself always answers
    live: Deployment | None
    attempt: Deployment | None  # the newest one, where it says more than what is live
    back: bool = False  # something earlier went live here
    ahead: str | None = None  # where what is live here would go next
    rolled_back: RolledBack | None = None

    @property
    def name(self) -> str:
        return self.environment.name

    @property
    def project(self) -> str:
        return self.environment.project

    @property
    def backend(self) -> str:
        return self.environment.backend

    @property
    def others(self) -> tuple[str, ...]:
        """Further hosts in force."""
        return tuple(url.host for url in self.urls if url.status == "active" and f"//{url.host}" not in self.address)


def of_environments(ctx: Context, those: tuple[Environment, ...], *, acts: bool = False) -> tuple[Place, ...]:
    """Several at once; `acts` also looks for what could be done to each."""
    db = ctx.db.read()
    ids = tuple(one.id for one in those)
    attached, latest = urls.of_environments(db, ids), deployments.latest_of(db, ids)
    live = deployments.several(db, [one.live for one in those if one.live])
    undoable = rolled_back.several(ctx, those)
    names = {(one.project, one.name) for one in those}
    return tuple(
        Place(
            environment=one,
            urls=attached[one.id],
            address=address(ctx, one, attached[one.id]),
            local=own_address(ctx, one.project, one.name),
            live=live.get(one.live or ""),
            attempt=_attempt(one, latest.get(one.id)),
            back=bool(acts and rollback_targets(ctx, one)),
            ahead=MAIN if one.name != MAIN and (one.project, MAIN) in names else None,
            rolled_back=undoable.get(one.id),
        )
        for one in those
    )


def of_project(ctx: Context, project_id: int, *, acts: bool = False) -> tuple[Place, ...]:
    return of_environments(ctx, environments.of_project(ctx.db.read(), project_id), acts=acts)


def addresses(ctx: Context, those: tuple[Url, ...]) -> dict[str, str]:
    """Where each URL that is in force leads."""
    known = {one.id: one for one in environments.everyone(ctx.db.read())}
    return {url.host: address(ctx, known[url.environment_id], (url,)) for url in those if url.environment_id in known}


def main_of(places: tuple[Place, ...]) -> Place | None:
    """Production, or what comes first where there is none."""
    return next((place for place in places if place.name == MAIN), places[0] if places else None)


def one_of(places: tuple[Place, ...], name: str) -> Place:
    """The one that is known to be there."""
    return next(place for place in places if place.name == name)


def targets(ctx: Context) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every environment by project, to choose from."""
    found: dict[str, list[str]] = {}
    for one in environments.everyone(ctx.db.read()):
        found.setdefault(one.project, []).append(one.name)
    return tuple((project, tuple(names)) for project, names in found.items())


def _attempt(environment: Environment, latest: Deployment | None) -> Deployment | None:
    if latest is None or latest.id == environment.live or latest.status not in UNSETTLED:
        return None
    return latest
