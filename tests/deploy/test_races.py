"""What happens when two things happen at once."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.access.actor import OPERATOR
from appliance.backends.base import Backend
from appliance.context import Context
from appliance.deploy import assemble, paths, pipeline, releases, submit
from appliance.deploy.cancel import cancel
from appliance.deploy.run import Run
from appliance.deploy.submit import find_deployment
from appliance.errors import Conflict
from appliance.machine.unpack import unpack
from appliance.model.deployments import Deployment
from appliance.model.environments import NewEnvironment
from appliance.model.manifests import Piece
from appliance.model.sites import Release, Site
from appliance.projects.create_environment import create_environment
from appliance.projects.find import find_environment
from appliance.store import bundles, deployments
from tests import inside
from tests.appliance import zipped


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as made, inside.listening(made):
        yield made


def run(ctx: Context, deployment: Deployment) -> Deployment:
    pipeline.deploy(ctx, deployment.id, 1)
    return find_deployment(ctx, deployment.id)


def folder_of(ctx: Context, deployment: Deployment) -> Path:
    return paths.release(ctx, find_deployment(ctx, deployment.id).release or "none").path


def live(ctx: Context, project: str) -> Deployment | None:
    found = find_environment(ctx, project, "production").live
    return find_deployment(ctx, found) if found else None


def test_one_that_was_overtaken_just_before_it_began_does_not_begin(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job was claimed already; only then a newer one came."""
    place = inside.project(ctx, "overtaken")
    old = inside.upload(ctx, place, {"index.html": "old"})
    newer: list[Deployment] = []

    def come_in_between(*given: object) -> object:
        newer.append(inside.upload(ctx, place, {"index.html": "new"}))
        monkeypatch.setattr(pipeline, "Run", Run)
        return Run(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "Run", come_in_between)
    after = run(ctx, old)
    assert (after.status, after.overtaken_by) == ("skipped", newer[0].id)
    assert live(ctx, "overtaken") is None
    assert {step.status for step in after.steps[1:]} <= {"waiting", "skipped"}
    assert run(ctx, newer[0]).live


def test_a_cancel_counts_until_the_moment_it_is_live(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    place = inside.project(ctx, "late-cancel")
    deployment = inside.upload(ctx, place, {"index.html": "x"})
    mark = pipeline.mark_live

    def cancelled_just_before(*given: object) -> None:
        cancel(ctx, OPERATOR, deployment.id)
        mark(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "mark_live", cancelled_just_before)
    after = run(ctx, deployment)
    assert (after.status, after.live) == ("cancelled", False)
    assert not paths.pointer(ctx, "late-cancel", "production").is_symlink()


def test_once_it_is_live_it_is_too_late_to_cancel(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    place = inside.project(ctx, "too-late")
    deployment = inside.upload(ctx, place, {"index.html": "x"})
    remove = releases.remove_beyond

    def cancelled_while_tidying(given: Context, environment_id: int) -> int:
        with pytest.raises(Conflict):
            cancel(ctx, OPERATOR, deployment.id)
        return remove(given, environment_id)

    monkeypatch.setattr(releases, "remove_beyond", cancelled_while_tidying)
    after = run(ctx, deployment)
    assert (after.status, after.live) == ("succeeded", True)


def test_what_is_live_does_not_fail_for_want_of_tidiness(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    place = inside.project(ctx, "untidy")
    deployment = inside.upload(ctx, place, {"index.html": "x"})

    def refuse(_: Context, __: int) -> int:
        raise PermissionError(1, "Operation not permitted", "/somewhere")

    monkeypatch.setattr(releases, "remove_beyond", refuse)
    after = run(ctx, deployment)
    assert (after.status, after.live, after.error) == ("succeeded", True, None)
    log = paths.log_file(ctx, deployment.id).read_text()
    assert "Operation not permitted" in log


def test_one_bundle_unpacked_twice_at_once_is_one_release(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that is being served is never taken away, not even to be replaced by its like."""
    place = inside.project(ctx, "twins")
    create_environment(ctx, OPERATOR, "twins", NewEnvironment("staging"))
    first = inside.upload(ctx, place, {"index.html": "x", **{f"{n}.txt": str(n) for n in range(200)}})
    second = submit.again(ctx, OPERATOR, find_environment(ctx, "twins", "staging"), first.bundle)
    both = threading.Barrier(2)
    inodes: list[int] = []
    swap = pipeline.publish

    def together(*given: object, **more: object) -> dict[str, Piece]:
        made = unpack(*given, **more)  # type: ignore[arg-type]
        both.wait(20)
        return made

    def noted(run: Run, site: Site, backend: Backend, release: Release) -> None:
        inodes.append(os.stat(release.path / "index.html").st_ino)
        swap(run, site, backend, release)

    monkeypatch.setattr(assemble, "unpack", together)
    monkeypatch.setattr(pipeline, "publish", noted)
    threads = [threading.Thread(target=run, args=(ctx, one)) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [find_deployment(ctx, one.id).status for one in (first, second)] == ["succeeded", "succeeded"]
    assert len(set(inodes)) == 1
    assert [one.name for one in (ctx.data / "releases").iterdir() if one.name.startswith(".")] == []


def test_a_release_that_is_about_to_be_served_is_not_tidied_away(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tidying looked at what is needed before a rollback came that needs one more."""
    place = inside.project(ctx, "needed")
    made = [run(ctx, inside.upload(ctx, place, {"index.html": str(n)})) for n in range(7)]
    gone = [one for one in made if not folder_of(ctx, one).exists()]
    assert gone, "some are tidied away by now"
    oldest_kept = next(one for one in made if folder_of(ctx, one).exists())
    is_due = deployments.is_release_due
    wish: list[Deployment] = []

    def then_a_rollback(*given: object) -> bool:
        found = is_due(*given)  # type: ignore[arg-type]
        if not wish:
            wish.append(submit.rollback(ctx, OPERATOR, find_environment(ctx, "needed", "production"), oldest_kept.id))
            threads.append(threading.Thread(target=run, args=(ctx, wish[0])))
            threads[0].start()
            threads[0].join(0.3)
        return found

    threads: list[threading.Thread] = []
    monkeypatch.setattr(deployments, "is_release_due", then_a_rollback)
    run(ctx, inside.upload(ctx, place, {"index.html": "newest"}))
    threads[0].join(30)
    assert find_deployment(ctx, wish[0].id).status == "succeeded"
    assert (folder_of(ctx, oldest_kept) / "index.html").read_text() == str(made.index(oldest_kept))


def test_two_that_tidy_at_once_stay_out_of_each_others_way(ctx: Context) -> None:
    place = inside.project(ctx, "brooms")
    for number in range(5):
        run(ctx, inside.upload(ctx, place, {"index.html": str(number)}))
    for number in range(40):
        left = ctx.data / "releases" / f"{number:064}"
        left.mkdir()
        (left / "index.html").write_text("x")
        (ctx.data / "releases" / f"{number:064}.json").write_text("{}")
    wrong: list[BaseException] = []
    both = threading.Barrier(4)

    def sweep() -> None:
        both.wait(10)
        try:
            releases.remove_old(ctx)
        except OSError as why:
            wrong.append(why)

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert wrong == []


def test_a_bad_bundle_stays_until_the_last_that_waits_for_it_has_seen_it(ctx: Context) -> None:
    body = bytearray(zipped({"index.html": "the content of the page"}, compresslevel=0))
    body[body.index(b"content")] ^= 0x20
    first = inside.upload(ctx, inside.project(ctx, "bad-one"), bytes(body))
    second = inside.upload(ctx, inside.project(ctx, "bad-two"), bytes(body))
    for one in (first, second):
        after = run(ctx, one)
        assert after.status == "failed" and after.error is not None
        assert "index.html" in after.error.detail, after.error
    assert bundles.find(ctx.db.read(), first.bundle) is None
    assert not paths.bundle_file(ctx, first.bundle).exists()
