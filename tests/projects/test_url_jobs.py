"""Taking URLs out of force, where the outside world stays unwilling."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.app import open_context
from appliance.context import Context
from appliance.model.activity import Wanted
from appliance.model.jobs import Job
from appliance.projects import url_jobs
from appliance.settings import Settings
from appliance.store import activity, journal
from tests.fakes.cloudflare import FakeCloudflare

HOST = "www.example.com"


@pytest.fixture
def cloudflare() -> Iterator[FakeCloudflare]:
    with FakeCloudflare() as running:
        running.add_zone("example.com")
        yield running


@pytest.fixture
def ctx(cloudflare: FakeCloudflare, tmp_path: Path) -> Iterator[Context]:
    opened = open_context(
        Settings(data=tmp_path / "data", cloudflare_token=cloudflare.token.secret, cloudflare_api=cloudflare.url)
    )
    yield opened
    opened.db.close()


def removal(ctx: Context, *, pointed: bool, backend: str = "builtin") -> str:
    """What a removed URL leaves in the journal."""
    intent = {"project": "blog", "environment": "production", "backend": backend, "pointed": pointed}
    with ctx.write() as db:
        return str(journal.begin(db, "url.detach", HOST, intent, ctx.moment()))


def detach(ctx: Context, entry: str, attempts: int) -> url_jobs.TryLater | None:
    """One try; says what it is tried again for."""
    return url_jobs.detach(ctx, [Job(1, "url.detach", entry, "hosts", attempts)]).get(1)


def left_behind(ctx: Context) -> list[str]:
    return [str(one.data["why"]) for one in activity.newest(ctx.db.read(), Wanted(verb="url")).items]


def test_what_may_pass_is_tried_again_and_at_last_left_behind(ctx: Context, cloudflare: FakeCloudflare) -> None:
    cloudflare.fail(503, times=2)
    entry = removal(ctx, pointed=True)
    assert detach(ctx, entry, url_jobs.TRIES - 1)
    assert left_behind(ctx) == []
    assert not detach(ctx, entry, url_jobs.TRIES)
    assert "it answered 503" in left_behind(ctx)[0]
    assert journal.unfinished(ctx.db.read()) == ()


def test_a_pause_that_was_asked_for_is_passed_on(ctx: Context, cloudflare: FakeCloudflare) -> None:
    cloudflare.fail(429, code=971, headers={"retry-after": "77"})
    why = detach(ctx, removal(ctx, pointed=True), 1)
    assert why and why.retry_after == 77


@pytest.mark.parametrize("pointed", [True, False])
def test_a_zone_out_of_reach_matters_if_a_record_was_made(
    ctx: Context, cloudflare: FakeCloudflare, pointed: bool
) -> None:
    cloudflare.zones.clear()
    assert not detach(ctx, removal(ctx, pointed=pointed), 1)
    assert len(left_behind(ctx)) == pointed


@pytest.mark.parametrize("pointed", [True, False])
def test_a_provider_that_is_gone_matters_if_a_record_was_made(ctx: Context, pointed: bool) -> None:
    ctx.base = replace(ctx.base, cloudflare_token="")
    assert not detach(ctx, removal(ctx, pointed=pointed), 1)
    assert len(left_behind(ctx)) == pointed


def test_a_host_that_refuses_keeps_no_record_standing(ctx: Context, cloudflare: FakeCloudflare, tmp_path: Path) -> None:
    """NGINX's side can't be undone, and is tried again; the record is deleted all the same."""
    mark = f"Homeport {ctx.instance}: {HOST}"
    cloudflare.add_record(HOST, "A", "192.0.2.7", comment=mark)
    available = tmp_path / "available"
    available.mkdir()
    ctx.base = replace(ctx.base, nginx_sites_available=available, nginx_sites_enabled=available, nginx_test=("false",))
    file = ctx.data / f"nginx/{HOST}.conf"
    file.write_text("# Made by Homeport. Edits to this file are replaced: change the URL in Homeport instead.\n")
    entry = removal(ctx, pointed=True, backend="nginx")
    assert detach(ctx, entry, 1)
    assert cloudflare.records == [] and file.exists()
    assert not detach(ctx, entry, url_jobs.TRIES)
    assert len(left_behind(ctx)) == 1
