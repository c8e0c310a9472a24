"""Set, renew and take away the certificate of a URL."""

from dataclasses import replace

from appliance.access.actor import Actor
from appliance.access.missing import no_url
from appliance.access.permissions import may, need
from appliance.access.record import record
from appliance.context import Context
from appliance.errors import Conflict, NotFound
from appliance.events import JobAdded, UrlChanged
from appliance.machine import files
from appliance.model.certificates import Certificate, CertificateWish
from appliance.model.urls import Url
from appliance.projects import certificate_files, certificate_steps
from appliance.projects.certificate_steps import PUTTING, WAITS
from appliance.projects.find import find_url
from appliance.store import certificates, environments, jobs
from appliance.store.db import Connection

NONE = Certificate("", "off", redirect=False, hsts=0, status="none")


def set_certificate(ctx: Context, actor: Actor, host: str, wish: CertificateWish) -> Certificate:
    """From now on: where it comes from, and what is said of HTTP."""
    url = _mine(ctx, actor, host)
    if wish.tls == "off":
        return remove_certificate(ctx, actor, host)
    _refuse_builtin(ctx, url)
    before = certificates.find(ctx.db.read(), host)
    now = _wanted(before, host, wish)
    if wish.chain or wish.key or (wish.tls == "upload" and not (before and before.tls == "upload" and before.files)):
        with files.refusals():
            now = certificate_files.uploaded(ctx, now, wish)
    with ctx.write(UrlChanged(host, url.project), JobAdded()) as db:
        certificates.put(db, now)
        certificate_steps.put_in_force(ctx, db, host, at_once=True)
        _record(ctx, db, actor, url, "certificate.set", tls=now.tls, redirect=now.redirect, hsts=now.hsts)
    return find_certificate(ctx, host)


def remove_certificate(ctx: Context, actor: Actor, host: str) -> Certificate:
    """HTTP alone from now on. The files go once NGINX has let go of them."""
    url = _mine(ctx, actor, host)
    if certificates.find(ctx.db.read(), host):
        with ctx.write(UrlChanged(host, url.project), JobAdded()) as db:
            certificates.remove(db, host)
            jobs.drop(db, certificate_steps.KIND, host)
            certificate_steps.put_in_force(ctx, db, host, at_once=True)
            _record(ctx, db, actor, url, "certificate.remove")
    return find_certificate(ctx, host)


def renew_certificate(ctx: Context, actor: Actor, host: str) -> Certificate:
    """Now, whatever it has left."""
    url = _mine(ctx, actor, host)
    one = certificates.find(ctx.db.read(), host)
    if one is None:
        raise NotFound(f"{host} has no certificate.", code="no_certificate", todo=("Set where it comes from first.",))
    if one.tls == "upload":
        raise Conflict(
            f"The certificate of {host} was uploaded, so only whoever has it can renew it.",
            code="uploaded",
            todo=("Upload the new one.",),
        )
    with ctx.write(UrlChanged(host, url.project), JobAdded()) as db:
        if url.status == "active":
            certificates.put(db, replace(one, status=one.status if one.files else "pending", error=None))
            certificate_steps.obtain(ctx, db, host)
        else:
            certificates.put(db, replace(one, status="waiting", detail=WAITS, error=None))
            certificate_steps.put_in_force(ctx, db, host, at_once=True)
        _record(ctx, db, actor, url, "certificate.renew")
    return find_certificate(ctx, host)


def find_certificate(ctx: Context, host: str) -> Certificate:
    """As it stands, also where there is none."""
    found = certificates.find(ctx.db.read(), host)
    return found or replace(NONE, host=host, at=find_url(ctx, host).at)


def has_internal_root(ctx: Context) -> bool:
    return certificate_files.root(ctx) is not None


def internal_root(ctx: Context) -> str:
    """The internal CA's own certificate, for people to install."""
    found = certificate_files.root(ctx)
    if found is None:
        raise Conflict(
            "There is no internal CA yet.",
            code="no_root",
            todo=("It is made with the first certificate that comes from it.",),
        )
    return found


def _mine(ctx: Context, actor: Actor, host: str) -> Url:
    url = find_url(ctx, host)
    need(actor, "urls.create", url.at)
    if not may(actor, "urls.read", url.at):
        raise no_url(host)
    return url


def _refuse_builtin(ctx: Context, url: Url) -> None:
    environment = environments.by_id(ctx.db.read(), url.environment_id)
    if environment and environment.backend != "nginx":
        raise Conflict(
            f"{environment.place} runs on {environment.backend}, and only NGINX speaks HTTPS here.",
            code="no_https",
            todo=("Use an environment on nginx, or have a proxy in front of Homeport speak HTTPS.",),
        )


def _wanted(before: Certificate | None, host: str, wish: CertificateWish) -> Certificate:
    """One that is there goes on being used until another takes its place."""
    if before is None or before.tls != wish.tls:
        made = Certificate(host, wish.tls, wish.redirect, wish.hsts, "waiting", WAITS)
        return replace(made, files=before.files, expires=before.expires, issuer=before.issuer) if before else made
    status, detail = ("pending", PUTTING) if before.files else ("waiting", WAITS)
    return replace(before, redirect=wish.redirect, hsts=wish.hsts, status=status, detail=detail, error=None)


def _record(ctx: Context, db: Connection, actor: Actor, url: Url, verb: str, **data: str | int | bool) -> None:
    record(ctx, db, actor, verb, url.host, project=url.project, environment=url.environment, **data)
