"""Obtaining certificates, and renewing them in good time: a few at once, never in a burst."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from appliance.access.actor import HOMEPORT
from appliance.access.record import record
from appliance.context import Context
from appliance.deploy import paths
from appliance.errors import HomeportError, RemoteFailed
from appliance.events import JobAdded, UrlChanged
from appliance.machine import clock, faults, files
from appliance.model.certificates import Certificate
from appliance.process_log import tell, tell_why
from appliance.projects import certificate_files, certificate_steps
from appliance.projects.certificate_acme import Stopped, by_acme, window_of
from appliance.projects.url_jobs import TryLater, in_words
from appliance.store import certificates, jobs
from appliance.store.db import Connection

if TYPE_CHECKING:
    from appliance.certificates.pem import Pair

AREA = "certificates"  # of the process log
AT_ONCE = 4  # begun at each look, those under way included
ASK_EVERY = timedelta(hours=12)  # an ACME server, when it would like one renewed
ASKED_AT_ONCE = 10
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(days=1)  # after a try that failed
SOON = timedelta(days=10)  # before the end, every try that fails goes into the record
REMIND_EVERY = timedelta(days=7)
LOST = "Its files are gone from this host. Upload it again."
ENDS = "It ends on {}, and nobody here can renew it. Upload a new one."


def obtain(ctx: Context, host: str, attempts: int) -> None:
    """The first for a URL, or one to take the place of the last."""
    one = certificates.find(ctx.db.read(), host)
    if one is None or one.tls not in _SOURCES:
        return
    _note(ctx, one)
    try:
        with files.refusals():
            faults.point("certificate")
            pair = _SOURCES[one.tls](ctx, one)
            faults.point("certificate obtained")
            _keep(ctx, one, pair)
        text = f"{host} has a new certificate by {pair.issuer}, until {pair.ends:%Y-%m-%d}."
        tell(ctx, AREA, text, subject=host, project=one.project)
    except Stopped as why:
        raise TryLater(why) from why
    except HomeportError as why:
        _failed(ctx, one, why)
        tell_why(ctx, AREA, why, subject=host, project=one.project)


def end_in_fault(ctx: Context, host: str) -> None:
    one = certificates.find(ctx.db.read(), host)
    if one:
        _failed(ctx, one, RemoteFailed("Homeport met an error of its own.", permanent=False))


def look(ctx: Context) -> None:
    """On a timer: what is due is begun, as far as not enough is under way already."""
    _ask_when(ctx)
    now = ctx.moment()
    due = certificates.due(ctx.db.read(), now, AT_ONCE)
    if due:
        with ctx.write(JobAdded()) as db:
            under_way = sum(jobs.has(db, certificate_steps.KIND, host) for host in due)
            for host in due[: AT_ONCE - under_way]:
                _begin_one(ctx, db, host)


def miss(ctx: Context) -> None:
    """Files that are gone, as after a backup was restored, are obtained anew; HTTP alone until then."""
    db = ctx.db.read()
    for host, name in certificates.in_use(db).items():
        one = certificates.find(db, host)
        if one is None or one.files != name or paths.has_certificate(ctx, one):
            continue
        status, error = ("failed", LOST) if one.tls == "upload" else ("waiting", None)
        now = replace(one, files="", expires=None, issuer="", renew_at=None, status=status, detail="", error=error)
        with ctx.write(UrlChanged(host, one.project), JobAdded()) as writing:
            certificates.put(writing, now)
            certificate_steps.put_in_force(ctx, writing, host, at_once=True)
        tell(ctx, AREA, f"The certificate of {host} is not on the disk.", level="warn", subject=host)


def pause_after(tries: int) -> timedelta:
    """Ever longer, so that no server tires of a name that doesn't lead here."""
    return min(FIRST_PAUSE * (1 << min(tries - 1, 20)), LONGEST_PAUSE)


def _begin_one(ctx: Context, db: Connection, host: str) -> None:
    one = certificates.find(db, host)
    if one and one.tls == "upload":
        _remind(ctx, db, one)
    elif one:
        certificate_steps.obtain(ctx, db, host)


def _remind(ctx: Context, db: Connection, one: Certificate) -> None:
    """Of one that was uploaded."""
    said = ENDS.format((one.expires or "")[:10])
    later = clock.text(ctx.now() + REMIND_EVERY)
    over = one.expires is not None and one.expires <= ctx.moment()
    certificates.put(db, replace(one, error=said, renew_at=later, status="failed" if over else one.status))
    _record(ctx, db, one, "certificate.ending", expires=one.expires or "")


def _note(ctx: Context, one: Certificate) -> None:
    """That it is under way. One that is served stays as it is until the next is there."""
    if one.status not in ("ok", "pending"):
        with ctx.write(UrlChanged(one.host, one.project), lasting=False) as db:
            certificates.put(db, replace(one, status="pending", detail="Being obtained"))


def _keep(ctx: Context, one: Certificate, pair: "Pair") -> None:
    renew_at = certificate_files.time_to_renew(pair)
    with ctx.write(UrlChanged(one.host, one.project), JobAdded()) as db:
        now = certificates.find(db, one.host)
        if now is None or now.tls != one.tls:
            return  # something else is wanted meanwhile
        first, kept = now.status != "ok", certificate_files.kept(ctx, now, pair, renew_at)
        certificates.put(db, kept if first else replace(kept, status="ok", detail=""))
        certificate_steps.put_in_force(ctx, db, one.host, at_once=first)
        verb = "certificate.issued" if first else "certificate.renewed"
        _record(ctx, db, one, verb, issuer=pair.issuer, expires=clock.text(pair.ends))
    (paths.certificates(ctx, one.host) / certificate_files.COMING).unlink(missing_ok=True)


def _failed(ctx: Context, one: Certificate, why: HomeportError) -> None:
    """The one that is served stays; it is tried again, ever less often."""
    with ctx.write(UrlChanged(one.host, one.project)) as db:
        now = certificates.find(db, one.host)
        if now is None or now.tls != one.tls:
            return
        tries = now.tries + 1
        wait = pause_after(tries) * random.uniform(1, 1.2)  # noqa: S311 - spreads, and hides nothing
        asked_for = timedelta(seconds=why.retry_after if isinstance(why, RemoteFailed) else 0)
        again, lasts = ctx.now() + max(wait, asked_for), _lasts(now, ctx.now())
        said = ctx.redact(in_words(why))
        served = now.status == "ok" or (lasts is not None and lasts > timedelta(0))
        status, detail = ("ok", "") if served else ("failed", "Could not be obtained")
        changed = replace(now, status=status, detail=detail, error=said, tries=tries, renew_at=clock.text(again))
        certificates.put(db, changed)
        if tries == 1 or (lasts is not None and lasts < SOON):
            _record(ctx, db, one, "certificate.failed", why=ctx.redact(why.detail))


def _lasts(one: Certificate, now: datetime) -> timedelta | None:
    return clock.parse(one.expires) - now if one.files and one.expires else None


def _ask_when(ctx: Context) -> None:
    """Some ACME servers say when: sooner, where they are about to revoke; later, where they are busy."""
    db, now = ctx.db.read(), ctx.now()
    for host in certificates.to_ask(db, clock.text(now - ASK_EVERY), ASKED_AT_ONCE):
        one = certificates.find(db, host)
        window = window_of(ctx, one) if one else None
        with ctx.write(lasting=False) as writing:
            one = certificates.find(writing, host)
            if one is None:
                continue
            changed = replace(one, asked_at=clock.text(now))
            if window and not one.tries:
                begins, ends = window
                at = begins + (ends - begins) * random.random()  # noqa: S311 - spreads, and hides nothing
                known = clock.parse(one.renew_at) if one.renew_at else ends
                if not begins <= known <= ends:  # what was drawn once stays
                    changed = replace(changed, renew_at=clock.text(max(at, now)))
            certificates.put(writing, changed)


def _record(ctx: Context, db: Connection, one: Certificate, verb: str, **data: str) -> None:
    record(ctx, db, HOMEPORT, verb, one.host, project=one.project, environment=one.environment, **data)


def _internal(ctx: Context, one: Certificate) -> "Pair":
    from appliance.certificates import internal

    return internal.issue(paths.internal_ca(ctx), (one.host,), ctx.now(), ctx.instance)


_SOURCES: dict[str, Callable[[Context, Certificate], "Pair"]] = {"acme": by_acme, "internal": _internal}
