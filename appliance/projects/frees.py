"""What deleting something frees, shown before it happens."""

from dataclasses import dataclass
from typing import Annotated

from appliance.context import Context
from appliance.deploy.places import own_address
from appliance.model.environments import Environment
from appliance.store import deployments, urls


@dataclass(frozen=True)
class Frees:
    environments: Annotated[tuple[str, ...], "Environments that go"]
    stops_answering: Annotated[tuple[str, ...], "Addresses that stop answering"]
    deployments: Annotated[int, "Deployments whose record goes"]
    bundles_kept: Annotated[int, "Bundles that stay, and can be downloaded by their hash"]


def what_frees(ctx: Context, those: tuple[Environment, ...]) -> Frees:
    db = ctx.db.read()
    answering: list[str] = []
    for environment in those:
        answering += [url.host for url in urls.of_environment(db, environment.id)]
        if environment.live:
            answering.append(own_address(ctx, environment.project, environment.name))
    ids = tuple(environment.id for environment in those)
    return Frees(
        tuple(environment.name for environment in those),
        tuple(answering),
        deployments.count_in(db, ids),
        deployments.bundles_in(db, ids),
    )
