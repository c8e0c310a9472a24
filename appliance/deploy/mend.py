"""Putting back together what a power cut, a disk or a person took apart: every release comes from a bundle."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.context import Context
from appliance.deploy import contents, freeze, paths, releases
from appliance.deploy.assemble import Witness, make_release
from appliance.deploy.delta import contents_of_made
from appliance.deploy.submit import limits
from appliance.errors import HomeportError
from appliance.machine.unpack import one_file
from appliance.model.deployments import Deployment
from appliance.model.manifests import Manifest
from appliance.model.sites import Release
from appliance.store import bundles, deployments, saved
from appliance.store import releases as rows
from appliance.store import rules as rule_rows

BOOT = Path("/proc/sys/kernel/random/boot_id")
logger = logging.getLogger("homeport.mend")


@dataclass(frozen=True)
class Found:
    """What a look at the content store came to."""

    contents: int
    mended: tuple[str, ...]  # paths
    lost: tuple[str, ...]  # paths that no bundle here can bring back


def present(ctx: Context, live: Deployment) -> Release | None:
    """The release of what is live, made again from its bundle where it is not here."""
    release = freeze.release_of(ctx, live)
    if release is not None and releases.ready(ctx, release.name):
        return _noted(ctx, live, release)
    try:
        made = make_release(ctx, live.bundle, Witness(logger.info, logger.warning, logger.debug, lambda: False))
    except (HomeportError, OSError) as why:
        logger.error("#%d of %s can't be put back: %s", live.number, live.place, why)
        return None
    releases.settle(ctx, made.name)
    found = freeze.release_of(ctx, replace(live, release=made.name))
    return _noted(ctx, live, found) if found else None


def _noted(ctx: Context, live: Deployment, release: Release) -> Release:
    """Its row names what it is shown by, also where that went live before such things were written down."""
    if (live.release, live.rules) != (release.name, release.rules.key):
        with ctx.db.write() as db:
            rule_rows.keep(db, release.rules)
            deployments.set_release(db, live.id, release.name, release.rules.key)
    return release


def after_power_cut(ctx: Context) -> None:
    """What was still on its way to the disk when the host went down is looked at, byte by byte."""
    boot = BOOT.read_text("ascii").strip()
    cut = boot != saved.meta(ctx.db.read(), "boot")
    shelf = paths.shelf(ctx)
    for sha256 in list(shelf.changed_since(_written_at(ctx))) if cut else []:
        if not shelf.sound(sha256):
            shelf.remove(sha256)
    for name in rows.unwritten(ctx.db.read()):
        if cut and list(_damaged(ctx, name)):
            logger.warning("Release %s did not survive; it is made again when it is needed", name[:12])
            releases.remove(ctx, name)
        else:
            releases.settle(ctx, name)
    with ctx.db.write() as db:
        saved.set_meta(db, "boot", boot)


def examine(ctx: Context) -> Found:
    """Read every content that is here, and mend what is damaged from any bundle that has it."""
    shelf = paths.shelf(ctx)
    mended: list[str] = []
    lost: list[str] = []
    bad = {sha256 for sha256 in shelf.names() if not shelf.sound(sha256)}
    for kept in rows.everyone(ctx.db.read()):
        if not releases.ready(ctx, kept.name):
            continue
        manifest = releases.manifest_of(ctx, kept.name)
        for path in _damaged(ctx, kept.name):
            (mended if _mended(ctx, kept.name, path, manifest) else lost).append(f"{kept.name[:12]}/{path}")
    named = contents_of_made(ctx) if bad else set()
    for sha256 in bad:
        if not shelf.sound(sha256):
            shelf.remove(sha256)
            lost += [f"content {sha256[:12]}"] if sha256 in named else []
    return Found(sum(1 for _ in shelf.names()), tuple(mended), tuple(lost))


def _mended(ctx: Context, name: str, path: str, manifest: Manifest) -> bool:
    """The file's bytes, from the shelf or a bundle, back into it and into whatever shares it."""
    piece, file, shelf = manifest[path], paths.release(ctx, name).path / path, paths.shelf(ctx)
    if not shelf.sound(piece.sha256):
        data = _from_bundle(ctx, name, path, piece.sha256)
        if data is None:
            return False
        if shelf.has(piece.sha256):
            shelf.rewrite(piece.sha256, data)
        else:
            shelf.put(piece.sha256, data)
    if _is_sound(file, piece.sha256):
        return True
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.mended"[:255])
    beside.unlink(missing_ok=True)
    shelf.link(piece.sha256, beside)
    beside.replace(file)
    return True


def _from_bundle(ctx: Context, release: str, path: str, sha256: str) -> bytes | None:
    for bundle in bundles.of_release(ctx.db.read(), release):
        file = paths.bundle_file(ctx, bundle.sha256)
        try:
            holds = contents.of_bundle(file, bundle.sha256, limits(ctx))
            entry = next((one for one in holds.entries if one.path == path), None)
            data = one_file(file, entry) if entry else b""
        except (HomeportError, OSError) as why:
            logger.warning("Bundle %s can't be read: %s", bundle.sha256[:12], why)
            continue
        if hashlib.sha256(data).hexdigest() == sha256:
            return data
    return None


def _damaged(ctx: Context, name: str) -> Iterator[str]:
    """The files of a release that are not what its manifest says."""
    if not releases.ready(ctx, name):
        return
    root = paths.release(ctx, name).path
    for path, piece in releases.manifest_of(ctx, name).items():
        if not _is_sound(root / path, piece.sha256):
            yield path


def _is_sound(file: Path, sha256: str) -> bool:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _written_at(ctx: Context) -> float:
    return float(saved.meta(ctx.db.read(), "shelf_written") or 0)
