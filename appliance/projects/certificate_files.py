"""The files of certificates: each under a name of its own, so that NGINX reads the old ones or the new ones, whole."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.context import Context
from appliance.deploy import paths
from appliance.machine import clock, files
from appliance.model.certificates import Certificate, CertificateWish
from appliance.nginx import paths as nginx_paths
from appliance.nginx.values import certificate_folder
from appliance.projects.certificate_steps import PUTTING
from appliance.store import certificates

if TYPE_CHECKING:
    from appliance.certificates.pem import Pair

COMING = "coming.key"  # of one that is being obtained
INTERNAL = "@internal"
REMIND = timedelta(days=30)  # before the end of one that nobody here can renew
KEPT = timedelta(hours=1)
JITTER = 0.25  # of the time between when renewing begins to make sense and the end


def uploaded(ctx: Context, one: Certificate, wish: CertificateWish) -> Certificate:
    """What somebody brings, if it is fit; Invalid says what is wrong with it."""
    from appliance.certificates import pem

    pair = pem.checked(wish.chain, wish.key, one.host, ctx.now())
    return kept(ctx, one, pair, pair.ends - REMIND)


def kept(ctx: Context, one: Certificate, pair: "Pair", renew_at: datetime) -> Certificate:
    """On the disk, for nobody else to read, and about to be used."""
    folder, name = folder_of(ctx, one.host), clock.new_id()
    files.write_whole(folder / f"{name}.key", pair.key, mode=0o600)
    files.write_whole(folder / f"{name}.pem", pair.chain, mode=0o600)
    return replace(
        one,
        files=name,
        issuer=pair.issuer,
        expires=clock.text(pair.ends),
        renew_at=clock.text(renew_at),
        status="pending",
        detail=PUTTING,
        error=None,
        order="",
        tries=0,
        asked_at=None,
    )


def folder_of(ctx: Context, host: str) -> Path:
    folder = paths.certificates(ctx, host)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def time_to_renew(pair: "Pair", chance: float | None = None) -> datetime:
    """With a third of its life left, or somewhat before, so that those made together are not renewed together."""
    chance = random.random() if chance is None else chance  # noqa: S311 - spreads, and hides nothing
    third = (pair.ends - pair.begins) / 3
    return pair.ends - third - third * JITTER * chance


def chain_of(ctx: Context, one: Certificate) -> str:
    """The certificate in use, as PEM; empty where its file is gone."""
    try:
        return (paths.certificates(ctx, one.host) / f"{one.files}.pem").read_text("ascii")
    except OSError:
        return ""


def root(ctx: Context) -> str | None:
    from appliance.certificates import internal

    return internal.root_text(paths.internal_ca(ctx))


def tidy(ctx: Context) -> None:
    """What no URL has any more, and no file of NGINX's names."""
    wanted = {certificate_folder(host): (host, name) for host, name in certificates.in_use(ctx.db.read()).items()}
    for folder in (ctx.data / "certificates").iterdir():
        host, name = wanted.get(folder.name, (folder.name.replace("+", "*"), ""))
        if folder.name == INTERNAL or not folder.is_dir():
            continue
        text = nginx_paths.text_of_ours(ctx.settings, host) or ""
        for file in folder.iterdir():
            if file.stem != name and file.name != COMING and f"/{file.stem}." not in text and _is_old(ctx, file):
                file.unlink()
        if certificates.find(ctx.db.read(), host) is None and not text and _is_old(ctx, folder):
            files.remove_tree(folder)


def _is_old(ctx: Context, path: Path) -> bool:
    """One that was just written may be about to be used."""
    return path.stat().st_mtime < (ctx.now() - KEPT).timestamp()
