"""Deploying file by file: what is missing is asked for, what is here is used, and the bundle is the list of it."""

import hashlib
import os
import re
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from isal import isal_zlib

from appliance.access.actor import Actor
from appliance.context import Context
from appliance.deploy import paths, releases, submit
from appliance.deploy.assemble import manifest_of_made
from appliance.deploy.log import Log
from appliance.deploy.reach import Reach, reach_of
from appliance.errors import BadBundle, Conflict, HostFailed, Lacking
from appliance.machine import archive, faults, files, manifest_file, zipmake
from appliance.machine.zipend import shown
from appliance.model import manifests
from appliance.model.amounts import how_many, size
from appliance.model.bundles import Bundle
from appliance.model.deployments import Deployment
from appliance.model.environments import Environment
from appliance.model.manifests import Piece
from appliance.model.trees import Tree, Wanted
from appliance.store import bundles

NAMED = 50_000  # missing contents that one answer names
WHOLE = 4 << 20  # a content up to this size is read in one go
PILE = 1 << 20  # bytes that are hashed in one go
UNKNOWN = -1  # a CRC-32 that nobody has worked out yet
_NAME = re.compile(rb'"([0-9a-f]{64})"')
_MAKING = threading.Lock()


@dataclass(frozen=True)
class Plan:
    """A tree that was judged, every content of which is here."""

    manifest: dict[str, Piece]  # CRC-32s only where they are known
    left_out: tuple[archive.LeftOut, ...]

    @property
    def unpacked(self) -> int:
        return sum(piece.size for piece in self.manifest.values())


def deploy_tree(
    ctx: Context, actor: Actor, environment: Environment, plan: Plan, once: submit.Once | None = None
) -> Deployment:
    """Nothing is left of one that is refused."""
    bundle, manifest = _bundle(ctx, actor, plan)
    detail = f"{how_many(bundle.files, 'file')}, {size(bundle.unpacked)}, each by its content"
    with _MAKING:
        fresh = manifest is not None and bundles.find(ctx.db.read(), bundle.sha256) is None
        if fresh and manifest is not None:
            _write(ctx, bundle.sha256, manifest)
            faults.point("bundle listed")
        try:
            deployment = submit.made(ctx, actor, environment, bundle, detail=detail, once=once)
        except BaseException:
            if fresh:
                paths.made_bundle_file(ctx, bundle.sha256).unlink(missing_ok=True)
            raise
    for one in plan.left_out:
        Log(ctx, deployment.id).warn(f"Left out {one.name}" + (f": {one.entries:,} files" if one.entries > 1 else ""))
    return deployment


def plan(ctx: Context, actor: Actor, tree: Tree) -> Plan:
    """Judge the paths as those of a zip, and say what has to be sent first."""
    reach = reach_of(ctx, actor)
    base = _base(ctx, tree.base, reach) if tree.base else {}
    wanted = _merged(tree, base)
    holds = archive.judge({path: one.size for path, one in wanted.items()}, submit.limits(ctx))
    crcs = {piece.sha256: piece.crc32 for piece in base.values()}
    manifest = {}
    for entry in holds.entries:
        one = wanted.get(entry.path) or wanted[f"./{entry.path}"]
        manifest[entry.path] = Piece(one.size, one.sha256, crcs.get(one.sha256, UNKNOWN))
    hidden = reach.missing({piece.sha256 for piece in manifest.values()}) if reach else frozenset[str]()
    if hidden:
        raise _lacking(_with_hidden(ctx, manifest, hidden), len(manifest))
    missing = _missing(ctx, manifest)
    if missing and base:
        _share(ctx, tree.base or "", base, missing)
        absent = set(missing)
        missing = _missing(ctx, {path: piece for path, piece in manifest.items() if piece.sha256 in absent})
    if missing:
        raise _lacking(missing, len(manifest))
    return Plan(manifest, holds.left_out)


def zip_of_made(ctx: Context, bundle: Bundle) -> Iterator[bytes]:
    """What is gone is said before the first byte."""
    manifest = manifest_of_made(ctx, bundle.sha256)
    missing = _missing(ctx, manifest)
    if missing:
        raise HostFailed(
            f"{how_many(len(missing), 'content')} of bundle {bundle.sha256[:7]} can't be found on this host.",
            code="content_gone",
            todo=("Run `homeport doctor --store` on the host.", "Deploy the folder again: what is missing is sent."),
        )
    return zipmake.stream(manifest, paths.shelf(ctx).path)


def contents_of_made(ctx: Context) -> set[str]:
    """Every content that a bundle which was deployed file by file needs, for as long as it is kept."""
    found: set[str] = set()
    for path in (ctx.data / "bundles").glob("??/*.json"):
        with suppress(FileNotFoundError):
            found.update(name.decode() for name in _NAME.findall(path.read_bytes()))
    return found


def _merged(tree: Tree, base: Mapping[str, Piece]) -> dict[str, Wanted]:
    gone = set(tree.removed)
    kept = {path: Wanted(piece.sha256, piece.size) for path, piece in base.items() if path not in gone}
    return {**kept, **tree.files}


def _with_hidden(ctx: Context, manifest: Mapping[str, Piece], hidden: Collection[str]) -> list[str]:
    """What is not here, and what is as good as not here, in the order of the paths."""
    seen = {path: piece for path, piece in manifest.items() if piece.sha256 not in hidden}
    absent = {*hidden, *_missing(ctx, seen)}
    return list(dict.fromkeys(piece.sha256 for piece in manifest.values() if piece.sha256 in absent))


def _base(ctx: Context, name: str, reach: Reach | None) -> dict[str, Piece]:
    """The files of a release, from beside it or from a bundle that it was made of."""
    if reach is None or reach.has_release(name):
        with suppress(OSError, ValueError):
            return dict(releases.manifest_of(ctx, name))
        made = bundles.with_files_of(ctx.db.read(), name)
        if made is not None and made.made:
            return manifest_of_made(ctx, made.sha256)
    raise Conflict(
        f"The release {name[:12]}… is not here any more.",
        code="no_base",
        todo=("Send all files, without `base`.",),
    )


def _missing(ctx: Context, manifest: Mapping[str, Piece]) -> list[str]:
    """Which contents are not here, in the order of the paths; one of another size than was said is a lie."""
    shelf = paths.shelf(ctx)
    root, sizes = os.fspath(shelf.root), dict[str, int]()
    for path, piece in manifest.items():
        sha256 = piece.sha256
        if sha256 not in sizes:
            try:
                sizes[sha256] = os.stat(f"{root}/{sha256[:2]}/{sha256}").st_size
            except FileNotFoundError:
                sizes[sha256] = -1
        if sizes[sha256] not in (-1, piece.size):
            if shelf.sound(sha256):
                raise _wrong_size(path, piece, sizes[sha256])
            shelf.remove(sha256)  # damaged: whoever has it sends it again
            sizes[sha256] = -1
    return [sha256 for sha256, found in sizes.items() if found < 0]


def _share(ctx: Context, name: str, base: Mapping[str, Piece], missing: Iterable[str]) -> None:
    """A release that has only just gone live may not have been put on the shelf yet."""
    wanted, shelf, folder = set(missing), paths.shelf(ctx), paths.release(ctx, name).path
    for path, piece in base.items():
        if piece.sha256 in wanted:
            with suppress(FileNotFoundError):
                shelf.share(folder / path, piece.sha256)


def _bundle(ctx: Context, actor: Actor, plan: Plan) -> tuple[Bundle, dict[str, Piece] | None]:
    """The bundle of these files: one that is here, or a new one with its manifest."""
    name = manifests.release_name(plan.manifest)
    known, reach = bundles.with_files_of(ctx.db.read(), name), reach_of(ctx, actor)
    if known is not None and _is_kept(ctx, known) and (reach is None or reach.has_bundle(known.sha256)):
        return known, None
    sha256, length, manifest = _hashed(ctx, plan.manifest)
    made = Bundle(
        sha256=sha256,
        size=length,
        files=len(manifest),
        unpacked=plan.unpacked,
        filename="",
        created_at=ctx.moment(),
        created_by=actor.name,
        release=name,
        made=True,
    )
    return made, manifest


def _is_kept(ctx: Context, bundle: Bundle) -> bool:
    return any(file(ctx, bundle.sha256).exists() for file in (paths.bundle_file, paths.made_bundle_file))


def _hashed(ctx: Context, manifest: Mapping[str, Piece]) -> tuple[str, int, dict[str, Piece]]:
    """The SHA-256 of the zip and its length, each content read once, and the manifest with every CRC-32."""
    root, known = os.fspath(paths.shelf(ctx).root), dict[str, Piece]()
    with _Whole() as whole:
        for name, path in zipmake.names(manifest):
            piece = manifest[path]
            add = _add_small if piece.size <= WHOLE else _add_large
            try:
                known[path] = add(whole, name, piece, f"{root}/{piece.sha256[:2]}/{piece.sha256}")
            except FileNotFoundError as why:
                raise _lacking([piece.sha256], len(manifest)) from why
        whole.update(zipmake.directory(known))
    return whole.sha256, whole.size, known


class _Whole:
    """The SHA-256 of all that it gets, worked out beside the one who reads it."""

    def __init__(self) -> None:
        self._hash, self._pile, self._held = hashlib.sha256(), list[bytes](), 0
        self._pool = ThreadPoolExecutor(1, "hash")
        self._last: Future[None] | None = None
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._hand_over()
        self._pool.shutdown()

    @property
    def sha256(self) -> str:
        """Once it is over."""
        return self._hash.hexdigest()

    def update(self, data: bytes) -> None:
        self._pile.append(data)
        self._held += len(data)
        if self._held >= PILE:
            self._hand_over()

    def _hand_over(self) -> None:
        """One pile is hashed while the next one grows, and no more than that are held."""
        if self._last:
            self._last.result()
        self._last = self._pool.submit(self._hash.update, b"".join(self._pile))
        self.size += self._held
        self._pile, self._held = [], 0


def _add_small(whole: _Whole, name: bytes, piece: Piece, place: str) -> Piece:
    handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(handle, piece.size + 1)
    finally:
        os.close(handle)
    if piece.crc32 == UNKNOWN:
        piece = piece._replace(crc32=isal_zlib.crc32(data))
    whole.update(zipmake.local_header(name, piece))
    whole.update(data)
    return piece


def _add_large(whole: _Whole, name: bytes, piece: Piece, place: str) -> Piece:
    with open(place, "rb", buffering=0) as file:
        if piece.crc32 == UNKNOWN:
            crc = 0
            while data := file.read(WHOLE):
                crc = isal_zlib.crc32(data, crc)
            piece = piece._replace(crc32=crc)
            file.seek(0)
        whole.update(zipmake.local_header(name, piece))
        while data := file.read(WHOLE):
            whole.update(data)
    return piece


def _write(ctx: Context, sha256: str, manifest: Mapping[str, Piece]) -> None:
    place = paths.made_bundle_file(ctx, sha256)
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with files.refusals():
        files.write_whole(place, manifests.written(manifest), mode=0o600)
    manifest_file.written(place, manifest)  # asked for in a moment


def _wrong_size(path: str, piece: Piece, real: int) -> BadBundle:
    return BadBundle(
        "size",
        f'"{shown(path)}" is said to have {piece.size:,} bytes, and its content has {real:,}.',
        entry=shown(path),
        todo=("Read the file again: its size and its SHA-256 must be of the same bytes.",),
    )


def _lacking(missing: list[str], all_files: int) -> Lacking:
    return Lacking(
        f"{how_many(len(missing), 'content')} of {how_many(all_files, 'file')} "
        f"{'is' if len(missing) == 1 else 'are'} not here yet. Nothing was deployed.",
        tuple(missing[:NAMED]),
        max(0, len(missing) - NAMED),
        todo=("Send them to /api/v1/contents, then ask again.",),
    )
