"""Where a URL's certificate goes from here, once its URL is seen to answer."""

from dataclasses import replace
from datetime import datetime, timedelta
from zlib import crc32

from appliance.context import Context
from appliance.deploy import paths
from appliance.machine import clock
from appliance.model.certificates import Certificate
from appliance.model.environments import Environment
from appliance.store import certificates, jobs
from appliance.store.db import Connection

KIND = "certificate"
SIDE_BY_SIDE = 2  # so many are obtained at a time
RELOADS = timedelta(minutes=1)  # NGINX reads its files at most so often for certificates that take others' places
WAITS = "Until the URL answers"
PUTTING = "Putting in force"


def begin(ctx: Context, db: Connection, host: str, environment: Environment) -> None:
    """What the settings say of a new URL. Only NGINX speaks HTTPS here."""
    if ctx.settings.tls != "off" and environment.backend == "nginx":
        certificates.put(db, Certificate(host, ctx.settings.tls, redirect=True, hsts=0, status="waiting", detail=WAITS))


def go_on(ctx: Context, db: Connection, host: str, environment: Environment) -> None:
    """After NGINX was seen to serve a URL: with its certificate, or ready for one."""
    one = certificates.find(db, host)
    if one is None or one.tls == "off" or environment.backend != "nginx":
        return
    served = one.https and paths.has_certificate(ctx, one)
    if one.tls != "upload" and (one.status == "waiting" or (not served and one.status != "failed")):
        obtain(ctx, db, host)
    elif served and (one.status, one.detail) == ("pending", PUTTING):
        certificates.put(db, replace(one, status="ok", detail=""))


def obtain(ctx: Context, db: Connection, host: str) -> None:
    """Have it obtained, unless that is under way."""
    if not jobs.has(db, KIND, host):
        queue = f"certificates-{crc32(host.encode()) % SIDE_BY_SIDE}"
        jobs.add(db, KIND, host, queue=queue, at=ctx.moment())


def put_in_force(ctx: Context, db: Connection, host: str, *, at_once: bool) -> None:
    """Have NGINX read it. Those that only take others' places wait for the end of the minute, and go together."""
    if at_once:
        jobs.drop(db, "url.attach", host)
    if not jobs.queued(db, "url.attach", host):
        at = ctx.moment() if at_once else clock.text(end_of_minute(ctx.now()))
        jobs.add(db, "url.attach", host, queue="hosts", at=at)


def end_of_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + RELOADS
