"""Fingerprinted files of earlier releases: kept for as long as an environment wants, and not a file longer."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.access.actor import OPERATOR
from appliance.context import Context
from appliance.deploy import earlier, paths, tidy
from appliance.deploy.pipeline import deploy
from appliance.model.environments import Environment
from appliance.model.site_settings import SiteSettings
from appliance.projects.answering import change_site
from appliance.projects.delete import delete_project
from tests import inside

FIRST, SECOND = "assets/index-BfQ2nV7x.js", "assets/deep/index-DqAx7k2z.js"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as ctx, inside.listening(ctx):
        yield ctx


@pytest.fixture
def place(ctx: Context) -> Environment:
    return inside.project(ctx, "bridged")


def live(ctx: Context, place: Environment, *scripts: str) -> None:
    made = inside.upload(ctx, place, {"index.html": "".join(scripts) or "none", **dict.fromkeys(scripts, "script()")})
    deploy(ctx, made.id, 1)
    assert inside.state(ctx, made).status == "succeeded"


def kept(ctx: Context, place: Environment) -> set[str]:
    folder = paths.earlier(ctx, place.id)
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def later(ctx: Context, **time: float) -> None:
    now = ctx.now
    ctx.now = lambda: now() + timedelta(**time)


def test_a_file_goes_when_its_release_was_replaced_for_long_enough(ctx: Context, place: Environment) -> None:
    live(ctx, place, FIRST)
    later(ctx, days=30)
    earlier.forget_old(ctx)
    live(ctx, place, SECOND)
    assert kept(ctx, place) == {FIRST, SECOND}, "what counts is how long it is not live"
    later(ctx, hours=71)
    earlier.forget_old(ctx)
    assert kept(ctx, place) == {FIRST, SECOND}
    later(ctx, hours=2)
    earlier.forget_old(ctx)
    assert kept(ctx, place) == {SECOND}
    live(ctx, place)
    later(ctx, hours=73)
    earlier.forget_old(ctx)
    assert kept(ctx, place) == set()
    assert not any(paths.earlier(ctx, place.id).iterdir()), "no empty folders either"


def test_what_is_live_again_stays(ctx: Context, place: Environment) -> None:
    for script in (FIRST, SECOND, FIRST):
        live(ctx, place, script)
    later(ctx, hours=73)
    earlier.forget_old(ctx)
    assert kept(ctx, place) == {FIRST}


def test_nothing_is_kept_where_nobody_wants_it(ctx: Context, place: Environment) -> None:
    change_site(ctx, OPERATOR, "bridged", "production", SiteSettings(bridge_hours=0))
    live(ctx, place, FIRST)
    assert not paths.earlier(ctx, place.id).exists()
    change_site(ctx, OPERATOR, "bridged", "production", SiteSettings())
    live(ctx, place, SECOND)
    assert kept(ctx, place) == {SECOND}
    change_site(ctx, OPERATOR, "bridged", "production", SiteSettings(bridge_hours=0))
    live(ctx, place)
    earlier.forget_old(ctx)
    assert kept(ctx, place) == set()


def test_links_cost_no_room_and_a_new_content_takes_the_name(ctx: Context, place: Environment) -> None:
    live(ctx, place, FIRST)
    file = paths.earlier(ctx, place.id) / FIRST
    assert file.stat().st_nlink > 1
    made = inside.upload(ctx, place, {"index.html": "x", FIRST: "another()"})
    deploy(ctx, made.id, 1)
    assert file.read_text() == "another()"


def test_all_of_it_goes_with_its_environment(ctx: Context, place: Environment) -> None:
    live(ctx, place, FIRST)
    delete_project(ctx, OPERATOR, "bridged")
    tidy.sweep(ctx)
    assert not any((ctx.data / "earlier").iterdir())
