"""Looking only at releases in doubt comes to the same as looking at all of them, whatever has happened."""

from pathlib import Path
from random import Random

import pytest

from appliance.context import Context
from appliance.deploy import releases
from appliance.model.bundles import Bundle
from appliance.model.deployments import Deployment
from appliance.model.projects import Project
from appliance.store import bundles, deployments, environments, projects
from appliance.store import releases as rows
from appliance.store.db import Connection
from tests import inside

NAMES = tuple(f"{number:064}" for number in range(12))
AT = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens(tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    with inside.context(tmp_path / "data") as ctx:
        with ctx.db.write() as db:
            project = projects.add(db, "blog", AT, "owner")
            for number, name in enumerate(NAMES):
                bundles.add(db, bundle(name, name if number % 3 else None))
                rows.add(db, name, files=1, unpacked=1, at=AT)
        for _ in range(150):
            with ctx.db.write() as db:
                something_happens(db, dice, project)
            if dice.random() < 0.05:
                inside.save(ctx, releases_kept=str(dice.randint(1, 3)))
            assert {one.name for one in releases.not_needed(ctx)} == everyone(ctx) - releases.needed(ctx)
            assert rows.count(ctx.db.read()) == len(everyone(ctx))
            if dice.random() < 0.3:
                releases.settle_doubts(ctx)


def test_a_release_that_is_known_to_be_needed_is_not_looked_at_again(tmp_path: Path) -> None:
    with inside.context(tmp_path / "data") as ctx:
        with ctx.db.write() as db:
            project = projects.add(db, "blog", AT, "owner")
            place = environments.add(db, project.id, "production", "builtin", AT)
            rows.add(db, NAMES[0], files=1, unpacked=1, at=AT)
            deploy(db, project, place, NAMES[0], "succeeded")
        assert [one.name for one in rows.doubtful(ctx.db.read(), 5)] == [NAMES[0]]
        releases.settle_doubts(ctx)
        assert rows.doubtful(ctx.db.read(), 5) == ()
        with ctx.db.write() as db:
            environments.remove(db, place)
        assert [one.name for one in releases.not_needed(ctx)] == [NAMES[0]]


def everyone(ctx: Context) -> set[str]:
    return {one.name for one in rows.everyone(ctx.db.read())}


def something_happens(db: Connection, dice: Random, project: Project) -> None:
    places = environments.of_project(db, project.id)
    roll, name = dice.randint(0, 10), dice.choice(NAMES)
    if len(places) < 3:
        environments.add(db, project.id, f"e{projects.next_number(db, project.id)}", "builtin", AT)
    elif roll < 5:
        deploy(db, project, dice.choice(places).id, name, dice.choice(("succeeded", "failed", "running", "queued")))
    elif roll == 5:
        for one in deployments.running(db):
            deployments.finish(db, one.id, dice.choice(("succeeded", "cancelled")), AT)
    elif roll == 6:
        place = dice.choice(places)
        earlier = deployments.newest(db, environment=place.name, status="succeeded").items
        environments.set_live(db, place.id, dice.choice([None, *(one.id for one in earlier)]))
    elif roll == 7:
        environments.remove(db, dice.choice(places).id)
    elif roll == 8:
        bundles.set_release(db, name, dice.choice(NAMES))
    elif roll == 9:
        bundles.remove(db, name)
    else:
        change = dice.choice((rows.remove, lambda db, name: rows.add(db, name, files=1, unpacked=1, at=AT)))
        change(db, name)


def deploy(db: Connection, project: Project, place: int, release: str, status: str) -> None:
    number = projects.next_number(db, project.id)
    one = Deployment(
        id=f"d{number:05}",
        number=number,
        project=project.name,
        environment="",
        environment_id=place,
        status="queued",
        live=False,
        source="upload",
        bundle=release,
        size=1,
        files=1,
        steps=(),
        error=None,
        created_by="owner",
        created_at=AT,
        started_at=None,
        finished_at=None,
    )
    deployments.add(db, one, project.id)
    if status == "queued":
        return
    deployments.start(db, one.id, AT)
    if status == "running":
        return
    deployments.set_release(db, one.id, release, "rules")
    if status == "succeeded":
        environments.set_live(db, place, one.id)
    deployments.finish(db, one.id, status, AT)


def bundle(name: str, release: str | None) -> Bundle:
    return Bundle(name, 1, 1, 1, "site.zip", AT, "owner", release)
