"""The X-ray in the line of a deployment: what it holds back, what it leaves for later, and that it gives way."""

import hashlib
import threading
from pathlib import Path

import pytest

from appliance.access.actor import OPERATOR
from appliance.context import Context
from appliance.deploy import behind, paths, pipeline, releases, submit
from appliance.deploy.xray import after, remembered
from appliance.machine import faults
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment, NewEnvironment
from appliance.model.site_settings import SiteSettings
from appliance.model.xrays import DONE, LOOKING, STOPPED, Report
from appliance.projects.create_environment import create_environment
from appliance.projects.find import find_environment
from appliance.store import deployments, environments, jobs, xrays
from tests.appliance import Files
from tests.inside import context, listening, project, upload, working
from tests.servers import eventually

SOUND = {"index.html": "<a href=/about/>About</a>", "about/index.html": "x"}
BROKEN = {"index.html": "<a href=/about/>About</a>"}


def deployed(ctx: Context, place: Environment, files: Files) -> Deployment:
    return carried_out(ctx, upload(ctx, place, files))


def carried_out(ctx: Context, queued: Deployment) -> Deployment:
    pipeline.deploy(ctx, queued.id, 1)
    found = deployments.find(ctx.db.read(), queued.id)
    assert found is not None
    return found


def report_of(ctx: Context, deployment: Deployment) -> Report:
    found = xrays.find(ctx.db.read(), deployment.id)
    assert found is not None
    return found


def release_of(ctx: Context, deployment: Deployment) -> Path:
    return paths.release(ctx, deployment.release or "").path


def block(ctx: Context, place: Environment, *codes: str) -> None:
    with ctx.write() as db:
        environments.set_site(db, place.id, SiteSettings(block=codes).text)


def test_what_an_environment_does_not_let_through_stays_out(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        place = project(ctx, "strict")
        block(ctx, place, "broken_links")
        first = deployed(ctx, place, SOUND)
        assert first.live
        second = deployed(ctx, place, BROKEN)
        assert (second.status, second.live) == ("failed", False)
        assert second.error is not None
        assert second.error.code == "xray"
        assert "1 link leads nowhere" in second.error.detail
        assert "broken_links" in second.error.todo[-1]
        assert report_of(ctx, second).state == DONE
        assert [step.name for step in second.steps if step.status == "failed"] == ["inspect"]
        now = environments.by_id(ctx.db.read(), place.id)
        assert now is not None
        assert now.live == first.id


def test_what_is_not_held_back_is_said_and_goes_live(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        place = project(ctx, "half-strict")
        block(ctx, place, "private_keys")
        made = deployed(ctx, place, BROKEN)
        assert made.live
        assert [one.code for one in report_of(ctx, made).findings] == ["broken_links"]


def test_going_back_is_never_held_back(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        place = project(ctx, "back")
        broken = deployed(ctx, place, BROKEN)
        deployed(ctx, place, SOUND)
        block(ctx, place, "broken_links")
        back = carried_out(ctx, submit.rollback(ctx, OPERATOR, place, broken.id))
        assert back.live
        after.finish(ctx, back.id)
        assert [one.code for one in report_of(ctx, back).findings] == ["broken_links"]


def test_pages_are_read_once_it_is_live(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        made = deployed(ctx, project(ctx, "later"), BROKEN)
        assert made.live
        assert (report_of(ctx, made).state, report_of(ctx, made).findings) == (LOOKING, ())
        with working(ctx):
            eventually(lambda: report_of(ctx, made).state == DONE)
        assert [one.code for one in report_of(ctx, made).findings] == ["broken_links"]


def test_what_was_read_before_is_not_read_again(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        place = project(ctx, "again")
        pages = {f"{number}.html": f"<a href=/gone-{number}/>x</a>" for number in range(remembered.FEW)}
        first = deployed(ctx, place, {"index.html": "first", **pages})
        after.finish(ctx, first.id)
        second = deployed(ctx, place, {"index.html": "<a href=/nowhere/>x</a>", **pages})
        (release_of(ctx, second) / "7.html").unlink()  # so that reading it would show
        after.finish(ctx, second.id)
        report = report_of(ctx, second)
        assert (report.state, report.pages) == (DONE, 101)
        assert "101 links lead nowhere" in report.findings[0].text
        third = deployed(ctx, place, {"index.html": "third", **pages, "8.html": "x"})
        after.finish(ctx, third.id)
        assert "99 links lead nowhere" in report_of(ctx, third).findings[0].text


def test_what_holds_a_deployment_back_is_not_read_again_either(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        place = project(ctx, "strict-again")
        block(ctx, place, "broken_links")
        pages = {f"{number}.html": f"{number}" for number in range(remembered.FEW)}
        first = deployed(ctx, place, {"index.html": "first", **pages})
        assert first.live
        memory = remembered.of_release(ctx, first.release)
        assert memory.find(hashlib.sha256(b"7").hexdigest(), "text/html") is not None
        assert deployed(ctx, place, {"index.html": "<a href=/nowhere/>x</a>", **pages}).status == "failed"


def test_what_is_remembered_of_a_release_goes_with_it(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        pages = {f"{number}.html": f"{number}" for number in range(remembered.FEW)}
        made = deployed(ctx, project(ctx, "forgotten"), pages)
        after.finish(ctx, made.id)
        assert made.release
        assert remembered.of_release(ctx, made.release).find(hashlib.sha256(b"7").hexdigest(), "text/html")
        assert xrays.remembered(ctx.db.read(), made.release, "of other readers") is None
        releases.remove(ctx, made.release)
        assert remembered.of_release(ctx, made.release).find(hashlib.sha256(b"7").hexdigest(), "text/html") is None


def test_a_look_that_homeport_s_end_cut_short_is_taken_up_again(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        made = deployed(ctx, project(ctx, "cut"), BROKEN)
        with ctx.write() as db:
            jobs.drop(db, "xray", made.id)
        ctx.stopping.set()
        after.finish(ctx, made.id)
        assert report_of(ctx, made).state == LOOKING
        assert jobs.queued(ctx.db.read(), "xray", made.id)


def test_a_release_that_went_first_is_said(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        made = deployed(ctx, project(ctx, "gone"), BROKEN)
        for one in (ctx.data / "releases").glob("*.json"):
            one.unlink()
        after.finish(ctx, made.id)
        assert report_of(ctx, made).state == STOPPED


def test_work_behind_the_scenes_holds_still_while_a_deployment_runs(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx:
        running = upload(ctx, project(ctx, "busy"), SOUND)
        with ctx.write() as db:
            deployments.start(db, running.id, ctx.moment())
        went_on = threading.Event()

        def work() -> None:
            behind.Pace(ctx)()
            went_on.set()

        thread = threading.Thread(target=work)
        thread.start()
        assert not went_on.wait(behind.LOOK_EVERY * 3)
        with ctx.write() as db:
            deployments.finish(db, running.id, "failed", ctx.moment())
        assert went_on.wait(20)
        thread.join()


def test_smaller_forms_are_made_once_the_look_is_over(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx:
        with ctx.write() as db:
            jobs.add(db, after.KIND, "one", queue=after.KIND, at=ctx.moment())
            look = jobs.claim(db, "here", ctx.moment(), ctx.moment(), after.KIND)
        assert look
        went_on = threading.Event()

        def work() -> None:
            behind.Pace(ctx, after=after.KIND)()
            went_on.set()

        behind.Pace(ctx)()  # which no look holds up
        thread = threading.Thread(target=work)
        thread.start()
        assert not went_on.wait(behind.LOOK_EVERY * 3)
        with ctx.write() as db:
            jobs.done(db, look.id)
        assert went_on.wait(20)
        thread.join()


def test_a_look_that_goes_wrong_ends_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        made = deployed(ctx, project(ctx, "wrong"), BROKEN)
        monkeypatch.setattr(faults, "_WANTED", "locked:xray")
        with working(ctx):
            eventually(lambda: report_of(ctx, made).state == STOPPED)


def test_a_promotion_is_held_back_where_its_new_place_says_so(tmp_path: Path) -> None:
    with context(tmp_path / "data") as ctx, listening(ctx):
        production = project(ctx, "strict-there")
        staging = create_environment(ctx, OPERATOR, "strict-there", NewEnvironment("staging"))
        assert deployed(ctx, staging, BROKEN).live
        staging = find_environment(ctx, "strict-there", "staging")
        block(ctx, production, "broken_links")
        refused = carried_out(ctx, submit.promote(ctx, OPERATOR, production, staging))
        assert refused.error is not None
        assert refused.error.code == "xray"
        block(ctx, production)
        assert carried_out(ctx, submit.promote(ctx, OPERATOR, production, staging)).live
