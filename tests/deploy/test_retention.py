"""What a clean-up would free is said before it does, and nothing goes that anything refers to."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.access.actor import OPERATOR
from appliance.context import Context
from appliance.deploy import delta, paths, pipeline, releases, retention
from appliance.deploy.places import site_of
from appliance.deploy.submit import rollback
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.trees import Tree, Wanted
from appliance.projects.find import find_environment
from tests import inside
from tests.appliance import Appliance

ROLLBACK = "/projects/{}/environments/production/rollback?wait=30"


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made, inside.listening(made):
        yield made


def keep(ctx: Context, count: int) -> None:
    inside.save(ctx, releases_kept=str(count))


def deploy(ctx: Context, place: Environment, *texts: str) -> Deployment:
    """Live, with its contents on the shelf."""
    made = inside.upload(ctx, place, {f"{number}.txt": text for number, text in enumerate(texts)})
    return settle(ctx, made)


def settle(ctx: Context, made: Deployment) -> Deployment:
    pipeline.deploy(ctx, made.id, 1)
    after = inside.state(ctx, made)
    assert after.live, after.error
    releases.settle(ctx, after.release or "")
    releases.forget_gone(ctx)
    return after


def on_shelf(ctx: Context, text: str) -> bool:
    return paths.shelf(ctx).has(name_of(text))


def name_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_live_one_and_as_many_as_are_kept_stay(ctx: Context) -> None:
    keep(ctx, 2)
    place = inside.project(ctx, "blog")
    made = [deploy(ctx, place, f"text {number}", "shared") for number in range(5)]
    there = [releases.ready(ctx, one.release) for one in made]
    assert there == [False, False, True, True, True]
    before = retention.would_free(ctx)
    assert (len(before.releases), before.kept) == (0, 3)
    assert (before.contents, before.bytes) == (2, len("text 0") * 2), "of those that went with the deployments"
    after = retention.clean_up(ctx)
    assert (after.contents, after.bytes) == (before.contents, before.bytes)
    assert [on_shelf(ctx, f"text {number}") for number in range(5)] == [False, False, True, True, True]
    assert on_shelf(ctx, "shared")
    assert retention.would_free(ctx).contents == 0


def test_fewer_are_kept_from_now_on(ctx: Context) -> None:
    place = inside.project(ctx, "blog")
    made = [deploy(ctx, place, f"text {number}", "shared") for number in range(4)]
    assert retention.would_free(ctx).releases == ()
    keep(ctx, 1)
    before = retention.would_free(ctx)
    assert [one.deployments for one in before.releases] and before.addresses == 2
    assert {name for one in before.releases for name in one.deployments} == {
        "blog production #1",
        "blog production #2",
    }
    assert (before.contents, before.bytes) == (2, len("text 0") * 2)
    assert releases.ready(ctx, made[0].release), "nothing has gone by being told"
    assert retention.clean_up(ctx) == before
    assert [releases.ready(ctx, one.release) for one in made] == [False, False, True, True]
    assert inside.state(ctx, made[0]).status == "succeeded"
    again = settle(ctx, inside.upload(ctx, place, {"0.txt": "text 0", "1.txt": "shared"}))
    assert again.release == made[0].release and again.bundle, "it comes back out of its bundle"


def test_what_another_environment_serves_is_not_counted_as_free(ctx: Context) -> None:
    keep(ctx, 1)
    blog, other = inside.project(ctx, "blog"), inside.project(ctx, "other")
    deploy(ctx, other, "common", "its own")
    for number in range(4):
        deploy(ctx, blog, "common", f"text {number}")
    found = retention.clean_up(ctx)
    assert found.contents == 2 and on_shelf(ctx, "common")


def test_a_content_that_waits_for_its_deployment_stays_for_a_day(ctx: Context) -> None:
    paths.shelf(ctx).put(name_of("waits"), b"waits")
    assert retention.would_free(ctx).contents == 0
    real = ctx.now
    ctx.now = lambda: real() + timedelta(hours=25)
    assert retention.would_free(ctx).bytes == len("waits")
    retention.clean_up(ctx)
    assert not on_shelf(ctx, "waits")


def test_what_was_found_idle_is_said_only_while_it_is(ctx: Context, tmp_path: Path) -> None:
    """The disk isn't gone through for each answer: what was found is looked at again, and its moment is told."""
    for text in ("waits", "waits too"):
        paths.shelf(ctx).put(name_of(text), text.encode())
    real = ctx.now
    ctx.now = lambda: real() + timedelta(hours=25)
    first = retention.would_free(ctx)
    assert first.contents == 2
    paths.shelf(ctx).link(name_of("waits"), tmp_path / "in use")
    paths.shelf(ctx).put(name_of("late"), b"late")
    again = retention.would_free(ctx)
    assert (again.contents, again.bytes, again.looked_at) == (1, len("waits too"), first.looked_at)
    ctx.now = lambda: real() + timedelta(hours=50)
    later = retention.would_free(ctx)
    assert later.contents == 2 and later.looked_at > first.looked_at
    assert retention.clean_up(ctx).contents == 2


def test_what_a_bundle_of_single_files_needs_stays_for_ever(ctx: Context) -> None:
    keep(ctx, 1)
    place = inside.project(ctx, "blog")
    paths.shelf(ctx).put(name_of("by file"), b"by file")
    tree = Tree({"index.html": Wanted(name_of("by file"), len("by file"))})
    settle(ctx, delta.deploy_tree(ctx, OPERATOR, place, delta.plan(ctx, OPERATOR, tree)))
    for number in range(4):
        deploy(ctx, place, f"text {number}")
    real = ctx.now
    ctx.now = lambda: real() + timedelta(days=30)
    assert retention.clean_up(ctx).contents == 2
    assert on_shelf(ctx, "by file")


def test_while_someone_uses_the_shelf_its_contents_stay_for_the_next_time(ctx: Context) -> None:
    keep(ctx, 1)
    place = inside.project(ctx, "blog")
    for number in range(4):
        deploy(ctx, place, f"text {number}")
    with releases.shelf_in_use():
        assert retention.clean_up(ctx).contents == 0
        assert on_shelf(ctx, "text 0")
    assert retention.clean_up(ctx).contents == 2
    assert not on_shelf(ctx, "text 0")


def test_what_can_not_be_read_stands_in_nobodys_way(ctx: Context) -> None:
    (paths.gone_folder(ctx) / f"{0:064}.json").write_text("{}")
    (paths.gone_folder(ctx) / f"{1:064}.json").write_text("half")
    assert retention.would_free(ctx).contents == 0
    retention.clean_up(ctx)
    assert not list(paths.gone_folder(ctx).iterdir())


def test_what_is_rolled_back_to_and_from_stays(ctx: Context) -> None:
    keep(ctx, 2)
    place = inside.project(ctx, "blog")
    made = [deploy(ctx, place, f"text {number}") for number in range(3)]
    back = rollback(ctx, OPERATOR, find_environment(ctx, "blog", "production"), made[0].id)
    settle(ctx, back)
    retention.clean_up(ctx)
    assert all(releases.ready(ctx, one.release) for one in made)
    assert site_of(ctx, place).pointer.exists()


def test_through_the_door(fresh: Appliance) -> None:
    server = fresh
    assert server.ask("PATCH", "/settings", json={"releases_kept": "1"}).status_code == 200
    server.project("door")
    made = [server.deploy("door", {"index.html": f"{number}"}) for number in range(4)]
    would = server.get("/cleanup")
    assert would["kept"] == 2
    done = server.ask("POST", "/cleanup")
    assert done.status_code == 200 and done.json()["kept"] == 2
    assert server.get("/activity")["items"][0]["verb"] == "releases.cleanup"
    back = server.ask("POST", ROLLBACK.format("door"), json={"to": made[0]["id"]})
    assert back.status_code == 201 and server.visit("door").text == "0"
    assert server.ask("PATCH", "/settings", json={"releases_kept": "0"}).status_code == 422
