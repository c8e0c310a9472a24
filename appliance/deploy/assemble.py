"""Making a release: out of a zip, or out of contents that are here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.context import Context
from appliance.deploy import contents, paths, releases
from appliance.deploy.submit import limits
from appliance.errors import HostFailed
from appliance.machine import archive, clock, files, manifest_file
from appliance.machine.linking import link_tree
from appliance.machine.unpack import unpack
from appliance.model.amounts import how_many, size
from appliance.model.manifests import Piece
from appliance.store import bundles


@dataclass(frozen=True)
class Witness:
    """Who hears what is found in the bundle and how far it is, and may say stop."""

    info: Callable[[str], None]
    warn: Callable[[str], None]
    progress: Callable[[str], None]
    cancelled: Callable[[], bool]


@dataclass(frozen=True)
class Made:
    name: str
    files: int


def make_release(ctx: Context, sha256: str, witness: Witness) -> Made:
    """The release of a bundle, whole and under its name, or nothing."""
    beside = ctx.data / "releases" / f".{clock.new_id()}"
    try:
        with releases.shelf_in_use():
            manifest = _tree(ctx, sha256, beside, witness)
            name = releases.keep(ctx, beside, manifest)
    finally:
        files.remove_tree(beside)
    with ctx.db.write(lasting=False) as db:
        bundles.set_release(db, sha256, name)
    return Made(name, len(manifest))


def _tree(ctx: Context, sha256: str, beside: Path, witness: Witness) -> dict[str, Piece]:
    if paths.made_bundle_file(ctx, sha256).exists():
        manifest = manifest_of_made(ctx, sha256)
        witness.info(f"The bundle names {how_many(len(manifest), 'file')}; all of them are here")
        link_tree(manifest, beside, paths.shelf(ctx), cancelled=witness.cancelled)
        return manifest
    holds = contents.of_bundle(paths.bundle_file(ctx, sha256), sha256, limits(ctx))
    _say_contents(witness, holds)
    with files.on_the_disk(paths.bundle_file(ctx, sha256)):
        return unpack(
            paths.bundle_file(ctx, sha256),
            holds,
            beside,
            shelf=paths.shelf(ctx),
            limits=limits(ctx),
            on_progress=lambda done: witness.progress(f"{done:,} of {holds.files:,} files"),
            cancelled=witness.cancelled,
        )


def manifest_of_made(ctx: Context, sha256: str) -> dict[str, Piece]:
    """What a bundle that was deployed file by file holds."""
    try:
        return dict(manifest_file.read(paths.made_bundle_file(ctx, sha256)))
    except (OSError, ValueError) as why:
        raise HostFailed(
            f"The list of files of bundle {sha256[:7]} can't be read: {why}.",
            code="no_bundle",
            todo=("Run `homeport doctor --store` on the host.", "Deploy the folder again."),
        ) from why


def _say_contents(witness: Witness, holds: archive.Contents) -> None:
    witness.info(f"The bundle holds {how_many(holds.files, 'file')}, {size(holds.unpacked)}")
    if holds.wrapped:
        witness.info(f"One wrapping folder holds everything: {holds.wrapped}/ is unwrapped")
    for one in holds.left_out:
        witness.warn(f"Left out {one.name}" + (f": {one.entries:,} entries" if one.entries > 1 else ""))
