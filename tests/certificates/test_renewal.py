"""Renewing in good time: spread, never in a burst, and ever less often where it fails."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.access.actor import OPERATOR
from appliance.certificates import internal
from appliance.certificates.acme import known_as
from appliance.certificates.pem import Pair
from appliance.context import Context
from appliance.machine import clock
from appliance.model.certificates import Certificate
from appliance.model.projects import NewProject
from appliance.projects import certificate_files, certificate_jobs, certificate_steps
from appliance.projects.create_project import create_project
from appliance.projects.find import find_environment
from appliance.store import certificates, jobs, urls
from tests import inside
from tests.certificates.test_client import server

BEGIN = datetime(2027, 5, 3, tzinfo=UTC)
MANY = 1000


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    with inside.context(tmp_path / "data") as opened:
        create_project(opened, OPERATOR, NewProject("blog"))
        opened.now = lambda: BEGIN
        yield opened


def with_certificates(ctx: Context, ends: list[datetime], tls: str = "internal") -> list[str]:
    place = find_environment(ctx, "blog", "production")
    hosts = [f"h{number}.example.com" for number in range(len(ends))]
    with ctx.write() as db:
        for host, end in zip(hosts, ends, strict=True):
            urls.add(db, host, place.id, proxied=None, at=ctx.moment(), by="owner")
            one = Certificate(host, tls, redirect=True, hsts=0, status="ok", files="old", expires=clock.text(end))
            renew = certificate_files.time_to_renew(Lasting(end - timedelta(days=90), end))
            certificates.put(db, replace(one, renew_at=clock.text(renew)))
            for ending in (".pem", ".key"):
                (certificate_files.folder_of(ctx, host) / f"old{ending}").touch()
    return hosts


class Lasting(Pair):
    """One of which only its dates matter."""

    def __init__(self, begins: datetime, ends: datetime) -> None:
        super().__init__("", "")
        self._dates = (begins, ends)

    @property
    def begins(self) -> datetime:
        return self._dates[0]

    @property
    def ends(self) -> datetime:
        return self._dates[1]


def under_way(ctx: Context) -> list[str]:
    """What was begun, taken off the list as if it were done."""
    rows = ctx.db.read().execute("SELECT subject FROM jobs WHERE kind = ?", [certificate_steps.KIND]).fetchall()
    return [row["subject"] for row in rows]


def live_through(ctx: Context, minutes: int) -> dict[str, datetime]:
    """Look every minute, as the timer does, and let each that was begun end within its minute."""
    done: dict[str, datetime] = {}
    for minute in range(minutes):
        now = BEGIN + timedelta(minutes=minute)
        ctx.now = lambda now=now: now  # type: ignore[misc]
        certificate_jobs.look(ctx)
        if begun := under_way(ctx):
            with ctx.write() as db:
                for host in begun:
                    assert host not in done, "once"
                    done[host] = now
                    one = certificates.find(db, host)
                    assert one
                    later = clock.text(now + timedelta(days=60))
                    certificates.put(db, replace(one, renew_at=later, expires=clock.text(now + timedelta(days=90))))
                    jobs.drop(db, certificate_steps.KIND, host)
    return done


@pytest.mark.slow
def test_a_thousand_made_together_are_spread_and_none_is_late(ctx: Context) -> None:
    end = BEGIN + timedelta(days=38)
    with_certificates(ctx, [end] * MANY)
    done = live_through(ctx, 9 * 24 * 60)
    assert len(done) == MANY
    by_minute, by_hour = Counter(done.values()), Counter(at.replace(minute=0) for at in done.values())
    assert max(by_minute.values()) <= certificate_jobs.AT_ONCE
    assert max(by_hour.values()) < MANY / 20, "no hour has more than a twentieth of them"
    assert len({at.date() for at in done.values()}) >= 7, "over the whole week"
    assert all(end - at >= timedelta(days=29) for at in done.values())


def test_a_thousand_due_at_once_are_begun_a_few_at_a_time(ctx: Context) -> None:
    with_certificates(ctx, [BEGIN + timedelta(days=1)] * MANY)
    done = live_through(ctx, 260)
    assert len(done) == MANY
    assert max(Counter(done.values()).values()) <= certificate_jobs.AT_ONCE


def test_what_is_under_way_keeps_others_waiting(ctx: Context) -> None:
    with_certificates(ctx, [BEGIN + timedelta(days=1)] * 10)
    certificate_jobs.look(ctx)
    first = under_way(ctx)
    certificate_jobs.look(ctx)
    assert under_way(ctx) == first and len(first) == certificate_jobs.AT_ONCE


def test_renewed_together_they_share_a_reload_at_the_end_of_the_minute(ctx: Context) -> None:
    hosts = with_certificates(ctx, [BEGIN + timedelta(days=1)] * 3)
    at = BEGIN + timedelta(seconds=10)
    for seconds, host in zip((10, 20, 59), hosts, strict=True):
        ctx.now = lambda now=BEGIN + timedelta(seconds=seconds): now  # type: ignore[misc]
        certificate_jobs.obtain(ctx, host, 1)
        one = certificates.find(ctx.db.read(), host)
        assert one and one.status == "ok" and one.files != "old"
    rows = ctx.db.read().execute("SELECT DISTINCT run_at FROM jobs WHERE kind = 'url.attach'").fetchall()
    assert [row["run_at"] for row in rows] == [clock.text(certificate_steps.end_of_minute(at))]


def test_pauses_grow_up_to_a_day() -> None:
    pauses = [certificate_jobs.pause_after(tries) for tries in range(1, 40)]
    assert pauses[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert pauses == sorted(pauses) and pauses[-1] == timedelta(days=1)


def test_an_uploaded_one_is_said_to_end_a_month_before_and_each_week(ctx: Context) -> None:
    (host,) = with_certificates(ctx, [BEGIN + timedelta(days=29)], tls="upload")
    certificate_jobs.look(ctx)
    one = certificates.find(ctx.db.read(), host)
    assert one and one.status == "ok" and one.error and "Upload a new one" in one.error
    assert one.renew_at == clock.text(BEGIN + timedelta(days=7))
    assert under_way(ctx) == []


def test_what_is_gone_from_the_disk_is_obtained_anew(ctx: Context) -> None:
    (host,) = with_certificates(ctx, [BEGIN + timedelta(days=60)])
    (certificate_files.folder_of(ctx, host) / "old.key").unlink()
    certificate_jobs.miss(ctx)
    one = certificates.find(ctx.db.read(), host)
    assert one and (one.status, one.https) == ("waiting", None), "NGINX would not start with it"
    assert jobs.queued(ctx.db.read(), "url.attach", host)


def test_files_that_nobody_uses_any_more_go_and_others_stay(ctx: Context) -> None:
    (host,) = with_certificates(ctx, [BEGIN + timedelta(days=1)])
    certificate_jobs.obtain(ctx, host, 1)
    folder = certificate_files.folder_of(ctx, host)
    one = certificates.find(ctx.db.read(), host)
    assert one
    kept = [f"{one.files}.key", f"{one.files}.pem"]
    for stray in (folder / "stray.key", ctx.data / "certificates" / "gone.example.com"):
        stray.mkdir() if stray.suffix == ".com" else stray.write_text("x")
    ctx.now = lambda: datetime.now(UTC)
    certificate_files.tidy(ctx)
    assert (folder / "stray.key").exists(), "it may be about to be used"
    ctx.now = lambda: datetime.now(UTC) + timedelta(hours=2)
    certificate_files.tidy(ctx)
    assert sorted(file.name for file in folder.iterdir()) == kept
    assert sorted(one.name for one in (ctx.data / "certificates").iterdir()) == ["@internal", host]


def test_an_authority_that_says_when_is_heeded_and_asked_twice_a_day(ctx: Context, tmp_path: Path) -> None:
    (host,) = with_certificates(ctx, [BEGIN + timedelta(days=60)], tls="acme")
    pair = internal.issue(tmp_path / "ca", (host,), BEGIN, "elsewhere")
    (certificate_files.folder_of(ctx, host) / "old.pem").write_text(pair.chain)
    begins, ends = BEGIN + timedelta(days=2), BEGIN + timedelta(days=3)
    window = {"suggestedWindow": {"start": begins.isoformat(), "end": ends.isoformat()}}
    with server({f"/renewal/{known_as(pair.leaf)}": (200, {}, window)}) as directory:
        ctx.base = replace(ctx.base, acme_directory=directory)
        certificate_jobs.look(ctx)
        one = certificates.find(ctx.db.read(), host)
        assert one and one.renew_at and begins <= clock.parse(one.renew_at) <= ends
        ctx.now = lambda: BEGIN + timedelta(hours=13)
        certificate_jobs.look(ctx)
        again = certificates.find(ctx.db.read(), host)
    assert again and again.renew_at == one.renew_at, "what was drawn once stays"
    assert again.asked_at == clock.text(BEGIN + timedelta(hours=13)) != one.asked_at
