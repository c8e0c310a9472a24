"""Environments as the pages show them: what is live, what was tried since, where it answers."""

from dataclasses import dataclass

from appliance.context import Context
from appliance.deploy import rolled_back
from appliance.deploy.places import address, at_url, own_address
from appliance.deploy.rolled_back import RolledBack
from appliance.deploy.submit import rollback_targets
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.places import Place as At
from appliance.model.urls import Url
from appliance.store import deployments, environments, projects, urls
from appliance.store.sight import Sight, sees

MAIN = "production"
FEW = 50  # projects that a list shows; among more of them one types
SUGGESTED = 10
MOST_KINDS = 100
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
    ahead: Environment | None = None  # where what is live here would go next
    rolled_back: RolledBack | None = None

    @property
    def at(self) -> At:
        return self.environment.at

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
    mains = {one.project: one for one in those if one.name == MAIN}
    return tuple(
        Place(
            environment=one,
            urls=attached[one.id],
            address=address(ctx, one, attached[one.id]),
            local=own_address(ctx, one.project, one.name),
            live=live.get(one.live or ""),
            attempt=_attempt(one, latest.get(one.id)),
            back=bool(acts and rollback_targets(ctx, one)),
            ahead=mains.get(one.project) if one.name != MAIN else None,
            rolled_back=undoable.get(one.id),
        )
        for one in those
    )


def of_project(ctx: Context, project_id: int, sight: Sight | None, *, acts: bool = False) -> tuple[Place, ...]:
    """Those that may be seen."""
    found = environments.of_project(ctx.db.read(), project_id)
    return of_environments(ctx, tuple(one for one in found if sees(sight, one.at)), acts=acts)


def addresses(ctx: Context, those: tuple[Url, ...]) -> dict[str, str]:
    """Where each URL that is in force leads."""
    known = environments.by_ids(ctx.db.read(), [url.environment_id for url in those])
    return {url.host: at_url(ctx, known[url.environment_id], url) for url in those if url.environment_id in known}


def main_of(places: tuple[Place, ...]) -> Place | None:
    """Production, or what comes first where there is none."""
    return next((place for place in places if place.name == MAIN), places[0] if places else None)


def one_of(places: tuple[Place, ...], name: str) -> Place:
    """The one that is known to be there."""
    return next(place for place in places if place.name == name)


@dataclass(frozen=True)
class Choices:
    """What may be chosen: all of it in a list, or by typing where a list would be too long."""

    targets: tuple[tuple[str, tuple[str, ...]], ...]  # every environment by project; none where there are many
    many: bool
    kinds: tuple[str, ...] = ()  # names of environments

    @property
    def projects(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.targets)


def choices(ctx: Context, sight: Sight | None = None) -> Choices:
    db = ctx.db.read()
    kinds = environments.names(db, MOST_KINDS, sight)
    if projects.count(db, sight) > FEW:
        return Choices((), many=True, kinds=kinds)
    return Choices(_by_project(environments.everyone(db, sight)), many=False, kinds=kinds)


def suggested(ctx: Context, typed: str, sight: Sight | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The first few projects with what was typed in their names, and their environments."""
    db = ctx.db.read()
    name, _, environment = typed.partition("/")
    found = projects.search(db, name.strip(), limit=SUGGESTED, sight=sight).items
    inside = environments.in_projects(db, [one.name for one in found]) if found else ()
    targets = _by_project(tuple(one for one in inside if sees(sight, one.at)))
    return tuple((one, tuple(kind for kind in kinds if kind.startswith(environment.strip()))) for one, kinds in targets)


def known_in(ctx: Context, names: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The environments of those of these projects that are there."""
    found = environments.in_projects(ctx.db.read(), names) if names else ()
    return {project: frozenset(kinds) for project, kinds in _by_project(found)}


def _by_project(those: tuple[Environment, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, list[str]] = {}
    for one in those:
        found.setdefault(one.project, []).append(one.name)
    return tuple((project, tuple(names)) for project, names in found.items())


def _attempt(environment: Environment, latest: Deployment | None) -> Deployment | None:
    if latest is None or latest.id == environment.live or latest.status not in UNSETTLED:
        return None
    return latest
