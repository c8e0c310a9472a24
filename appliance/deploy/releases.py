"""Releases on disk: named by their files and shared by every deployment of them, so coming and going takes a lock."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import time

from appliance.context import Context
from appliance.deploy import paths
from appliance.machine import faults, files, manifest_file
from appliance.model import manifests
from appliance.model.manifests import Manifest
from appliance.store import deployments, jobs, saved
from appliance.store import releases as rows
from appliance.store.db import Connection

FORGET = "releases.forget"
ONE_BY_ONE = 200  # releases in doubt, above which it is quicker to work out all that are needed
_LOCK = threading.Lock()
_SETTLING = threading.Lock()


@dataclass
class _Use:
    """Who counts on the contents that are on the shelf now."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    begun: int = 0


_SHELF = _Use()


def ready(ctx: Context, name: str | None) -> bool:
    """Whether the release is here and whole. Asked by a running deployment, so it stays."""
    if name is None:
        return False
    with _LOCK:
        return _whole(ctx, name)


def keep(ctx: Context, folder: Path, manifest: Manifest) -> str:
    """Give an unpacked folder its name; if another deployment was quicker, theirs is as good."""
    name = manifests.release_name(manifest)
    with _LOCK:
        if _whole(ctx, name):
            return name
        release = paths.release(ctx, name)
        files.remove_tree(release.path)
        files.write_whole(paths.manifest_file(ctx, name), manifests.written(manifest), sync=False)
        manifest_file.written(paths.manifest_file(ctx, name), manifest)
        folder.rename(release.path)
        with ctx.db.write(lasting=False) as db:
            unpacked = sum(piece.size for piece in manifest.values())
            rows.add(db, name, files=len(manifest), unpacked=unpacked, at=ctx.moment())
    return name


def manifest_of(ctx: Context, name: str) -> Manifest:
    return manifest_file.read(paths.manifest_file(ctx, name))


def settle(ctx: Context, name: str, _: int = 1) -> None:
    """After a release went live: its contents to the shelf, for the next to link, and all of it to the disk."""
    with _SETTLING:
        if not ready(ctx, name):
            return
        faults.point("settle")
        shelf, release, began = paths.shelf(ctx), paths.release(ctx, name), time()
        try:
            for path, piece in manifest_of(ctx, name).items():
                shelf.share(release.path / path, piece.sha256)
        except FileNotFoundError:
            if ready(ctx, name):
                raise
            return  # tidied away meanwhile
        files.sync_disk(shelf.root)
        faults.point("after settle")
        with ctx.db.write() as db:
            rows.set_written(db, name)
            saved.set_meta(db, "shelf_written", str(began))


@contextmanager
def settled() -> Iterator[None]:
    """What is in the middle of going to the shelf is there by now."""
    with _SETTLING:
        yield


@contextmanager
def shelf_in_use() -> Iterator[None]:
    """What is on the shelf now stays there, for as long as someone makes a release or a bundle out of it."""
    with _SHELF.lock:
        _SHELF.begun += 1
        _SHELF.users += 1
    try:
        yield
    finally:
        with _SHELF.lock:
            _SHELF.users -= 1


def shelf_uses() -> int:
    """How often someone has begun to use it."""
    return _SHELF.begun


@contextmanager
def shelf_at_rest(since: int) -> Iterator[bool]:
    """Whether nobody uses it, nor has begun to since; nobody does within the block, so it is to be short."""
    with _SHELF.lock:
        yield _SHELF.users == 0 and _SHELF.begun == since


def needed(ctx: Context) -> set[str]:
    """What is live, about to be, or among the last few that were."""
    return deployments.releases_needed(ctx.db.read(), ctx.settings.releases_kept)


def not_needed(ctx: Context) -> list[rows.Kept]:
    """What is there for nobody. However many releases there are, only those in doubt are looked at."""
    doubtful, needed_ones = _in_doubt(ctx.db.read(), ctx.settings.releases_kept)
    return [one for one in doubtful if one.name not in needed_ones]


def settle_doubts(ctx: Context) -> None:
    """What is needed isn't looked at again until something happens that could change that."""
    kept = ctx.settings.releases_kept
    with ctx.db.write(lasting=False) as db:
        doubtful, needed_ones = _in_doubt(db, kept)
        rows.set_needed(db, [one.name for one in doubtful if one.name in needed_ones], kept)


def _in_doubt(db: Connection, kept: int) -> tuple[tuple[rows.Kept, ...], set[str]]:
    """Those in doubt, and what is needed of them: a few are asked about one by one."""
    doubtful = rows.doubtful(db, kept)
    if len(doubtful) > ONE_BY_ONE:
        return doubtful, deployments.releases_needed(db, kept)
    return doubtful, {one.name for one in doubtful if _is_needed_anywhere(db, one.name, kept)}


@contextmanager
def held(ctx: Context, name: str) -> Iterator[None]:
    """A release stays as long as this lasts; FileNotFoundError for one that is gone. Not for long: others wait."""
    with _LOCK:
        if not _whole(ctx, name):
            raise FileNotFoundError(name)
        yield


def remove_beyond(ctx: Context, environment_id: int) -> int:
    """Take away what this environment may no longer soon go back to, unless another one may. Bundles stay."""
    db, kept = ctx.db.read(), ctx.settings.releases_kept
    with _LOCK:
        beyond = [name for name in deployments.releases_of(db, environment_id)[kept:] if rows.find(db, name)]
        going = [name for name in beyond if not _is_needed_anywhere(db, name, kept)]
        return _remove_named(ctx, going, partial(_set_aside, ctx))


def ask_to_forget(ctx: Context, db: Connection) -> None:
    """Where trees were set aside: nobody waits for their files to go."""
    if trees_gone(ctx):
        jobs.drop(db, FORGET, "")
        jobs.add(db, FORGET, "", queue=FORGET, at=ctx.moment())


def remove_old(ctx: Context) -> int:
    """Take away releases that no environment serves or may soon go back to, and what has no release's name.

    Their files, of which there may be millions after an upgrade, are for `forget_gone`: a start doesn't wait for that.
    """
    with _LOCK:
        wanted = needed(ctx) | _pointed_at(ctx)
        old = [one for one in (ctx.data / "releases").iterdir() if not _is_needed(one.name, wanted)]
        gone = _remove(ctx, old, partial(_set_aside, ctx))
    settle_doubts(ctx)
    return gone


def forget_gone(ctx: Context, _: str = "", __: int = 1) -> None:
    """The job. What is left when Homeport ends is taken up by the next start."""
    for tree in trees_gone(ctx):
        if ctx.stopping.is_set():
            return
        files.remove_tree(tree)


def trees_gone(ctx: Context) -> list[Path]:
    return [one for one in paths.gone_folder(ctx).iterdir() if one.is_dir()]


def _pointed_at(ctx: Context) -> set[str]:
    """What visitors get, whatever the rows say: one that could not be put back is not to be taken away as well."""
    return {link.resolve().name for link in (ctx.data / "sites").glob("*/*") if link.is_symlink()}


def remove_these(ctx: Context, names: set[str]) -> int:
    """Those of them that are still not needed."""
    with _LOCK:
        return _remove_named(ctx, sorted(names - needed(ctx)))


def _is_needed_anywhere(db: Connection, name: str, kept: int) -> bool:
    if deployments.is_release_due(db, name):
        return True
    return any(name in deployments.releases_of(db, one)[:kept] for one in deployments.places_of_release(db, name))


def _remove_named(ctx: Context, names: list[str], take_away: Callable[[Path], None] = files.remove_tree) -> int:
    places = ((paths.release(ctx, one).path, paths.manifest_file(ctx, one)) for one in names)
    return _remove(ctx, [part for place in places for part in place], take_away)


def _remove(ctx: Context, old: list[Path], take_away: Callable[[Path], None] = files.remove_tree) -> int:
    """Their contents are for the next clean-up to look at."""
    for one in sorted(old, reverse=True):  # the manifest goes first: without it a release does not count
        if one.suffix == ".json" and one.exists():
            one.replace(paths.gone_folder(ctx) / one.name)
        else:
            take_away(one)
    gone = [one.name for one in old if one.suffix != ".json"]
    if gone:
        with ctx.db.write(lasting=False) as db:
            for name in gone:
                rows.remove(db, name)
    return len(gone)


def _set_aside(ctx: Context, left: Path) -> None:
    if left.is_symlink() or not left.is_dir():
        files.remove_tree(left)
        return
    place = paths.gone_folder(ctx) / left.name
    files.remove_tree(place)
    left.chmod(0o700)  # a folder that can't be written can't be moved either
    left.rename(place)


def remove(ctx: Context, name: str) -> None:
    """One that turned out not to be whole."""
    with _LOCK:
        paths.manifest_file(ctx, name).unlink(missing_ok=True)
        files.remove_tree(paths.release(ctx, name).path)
        with ctx.db.write(lasting=False) as db:
            rows.remove(db, name)


def _whole(ctx: Context, name: str) -> bool:
    return paths.release(ctx, name).path.is_dir() and paths.manifest_file(ctx, name).exists()


def _is_needed(name: str, needed: set[str]) -> bool:
    return name.startswith(".") or name.removesuffix(".json") in needed
