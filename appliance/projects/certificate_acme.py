"""One order at an ACME server, from wherever it was left to its certificate."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from appliance.context import Context
from appliance.deploy import paths
from appliance.dns import provider
from appliance.errors import Cancelled, HomeportError, HostFailed, RemoteFailed
from appliance.machine import faults, files
from appliance.machine.http import look
from appliance.model.certificates import Certificate
from appliance.nginx.force import probe_address
from appliance.nginx.secure import ASKED
from appliance.projects import certificate_files
from appliance.store import certificates

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from appliance.certificates.acme import Authorization, Bound, Client, Order
    from appliance.certificates.pem import Pair

PATIENCE = 90.0  # seconds for the server to look, and to issue
LOOK_EVERY = 1.0
_ACCOUNT = threading.Lock()
T = TypeVar("T", "Authorization", "Order")


class Stopped(Cancelled):
    """The process ends; the next one goes on with the order."""

    code = "stopped"


def by_acme(ctx: Context, one: Certificate) -> "Pair":
    from appliance.certificates import pem

    client = _client(ctx)
    try:
        key, order = _order(ctx, client, one)
    except RemoteFailed as why:
        if why.code == "acme_accountDoesNotExist":
            with ctx.write() as db:
                certificates.forget_account(db, ctx.settings.acme_directory)
        raise
    faults.point("certificate ordered")
    if order.status == "pending":
        for url in order.authorizations:
            _show(ctx, client, url)
        order = _until(ctx, lambda: client.see(order.url), ("ready", "valid", "invalid", "processing"))
    if order.status == "ready":
        client.finalize(order, key, (one.host,))
    if order.status in ("ready", "processing"):
        order = _until(ctx, lambda: client.see(order.url), ("valid", "invalid"))
    if order.status != "valid":
        raise _refused(ctx, order.error)
    pair = pem.Pair(client.download(order), pem.key_text(key))
    return pem.checked(pair.chain, pair.key, one.host, max(ctx.now(), pair.begins))


def window_of(ctx: Context, one: Certificate) -> tuple[datetime, datetime] | None:
    """When the server would like this one renewed; nothing where it doesn't say, or can't be asked."""
    from appliance.certificates import acme, pem

    chain = certificate_files.chain_of(ctx, one)
    try:
        client = acme.Client(ctx.settings.acme_directory, pem.new_key())
        return client.window(pem.Pair(chain, "").leaf) if chain else None
    except (HomeportError, ValueError):
        return None


def _client(ctx: Context) -> "Client":
    """With this appliance's account there, which is made where there is none."""
    from appliance.certificates import acme, pem

    directory = ctx.settings.acme_directory
    with _ACCOUNT:
        known = certificates.account(ctx.db.read(), directory)
        text = ctx.unseal("acme_accounts", directory, known[1]) if known else ""
        if known and (key := pem.own_key(text)):
            return acme.Client(directory, key, known[0])
        made = pem.new_key()
        client = acme.Client(directory, made)
        account = client.register(ctx.settings.acme_email, _bound(ctx))
        with ctx.write() as db:
            sealed = ctx.seal(db, "acme_accounts", directory, pem.key_text(made))
            certificates.put_account(db, directory, account, sealed, ctx.moment())
        return client


def _bound(ctx: Context) -> "Bound | None":
    from appliance.certificates import acme

    wanted = ctx.settings.acme_eab_id
    return acme.Bound(wanted, ctx.settings.acme_eab_key) if wanted else None


def _order(ctx: Context, client: "Client", one: Certificate) -> "tuple[EllipticCurvePrivateKey, Order]":
    """The one that was left, if it can be gone on with; else a new one, written down before anything is done for it."""
    from appliance.certificates import acme, pem

    coming = certificate_files.folder_of(ctx, one.host) / certificate_files.COMING
    if one.order and coming.is_file():
        begun, left = pem.own_key(coming.read_text("ascii")), _left(client, one.order)
        if begun and left:
            return begun, left
    chain = certificate_files.chain_of(ctx, one)
    replaces = acme.known_as(pem.Pair(chain, "").leaf) if chain else ""
    key, order = pem.new_key(), client.order((one.host,), replaces)
    files.write_whole(coming, pem.key_text(key), mode=0o600)
    with ctx.write() as db:
        now = certificates.find(db, one.host)
        if now:
            certificates.put(db, replace(now, order=order.url))
    return key, order


def _left(client: "Client", url: str) -> "Order | None":
    try:
        order = client.see(url)
    except RemoteFailed as why:
        if why.permanent and why.code != "acme_accountDoesNotExist":
            return None
        raise
    return order if order.status in ("pending", "ready", "processing", "valid") else None


def _show(ctx: Context, client: "Client", url: str) -> None:
    """Have the server see that the name is ours."""
    found = client.authorization(url)
    if found.status == "valid":
        return
    kind = "dns-01" if found.name.startswith("*.") or ctx.settings.acme_challenge == "dns" else "http-01"
    challenge = found.by(kind)
    shown = _in_dns if kind == "dns-01" else _over_http
    with shown(ctx, client, found.name, challenge.token):
        faults.point("certificate challenged")
        if challenge.status == "pending":
            client.ready(challenge)
        ended = _until(
            ctx, lambda: client.authorization(url), ("valid", "invalid", "deactivated", "expired", "revoked")
        )
    if ended.status != "valid":
        raise _refused(ctx, ended.error)


@contextmanager
def _over_http(ctx: Context, client: "Client", name: str, token: str) -> Iterator[None]:
    """Seen to be served here before anybody outside looks: a try that fails there counts against its limits."""
    if not token.replace("-", "").replace("_", "").isalnum() or not token.isascii():
        raise RemoteFailed("The certificate authority asks for a name that no file can have.", permanent=True)
    file, said = paths.challenges(ctx) / token, client.spoken(token)
    files.write_whole(file, said, sync=False)
    try:
        address = probe_address(ctx.settings.nginx_listen.split()[0])
        if look(address, name, f"{ASKED}{token}").body != said.encode():
            raise HostFailed(
                f"NGINX on this host does not answer for {name} what the certificate authority looks for.",
                code="challenge",
                todo=("Check the URL again.", "Look whether its NGINX file was edited, in Settings, NGINX."),
            )
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _in_dns(ctx: Context, client: "Client", name: str, token: str) -> Iterator[None]:
    """A TXT record beside others, for as long as it is looked for."""
    dns = provider(ctx.settings, ctx.instance)
    if dns is None:
        raise RemoteFailed(
            f"{name} has to be shown to be ours in DNS, and no DNS provider is set up.",
            permanent=True,
            code="no_dns",
            todo=("Set one up in Settings, DNS.",),
        )
    place, value = f"_acme-challenge.{name.removeprefix('*.')}", client.record(token)
    dns.set_txt(place, value)
    try:
        dns.until_served(place, value)
        yield
    finally:
        dns.remove_txt(place, value)


def _until(ctx: Context, see: Callable[[], T], states: tuple[str, ...]) -> T:
    ends = monotonic() + PATIENCE
    while (found := see()).status not in states:
        if ctx.stopping.wait(LOOK_EVERY):
            raise Stopped("Homeport was stopped while a certificate was on its way.")
        if monotonic() > ends:
            raise RemoteFailed("The certificate authority has not come to an end in time.", permanent=False)
    return found


def _refused(ctx: Context, error: Mapping[str, Any]) -> RemoteFailed:
    from appliance.certificates import refusals

    return refusals.of(error, 403, ctx.settings.acme_directory)
