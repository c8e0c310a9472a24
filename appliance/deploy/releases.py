"""Releases on disk: shared by every deployment of their bundle, so coming and going takes a lock."""

import threading
from pathlib import Path

from appliance.context import Context
from appliance.deploy import paths
from appliance.machine import files
from appliance.store import deployments

KEPT = 5  # releases of each environment, besides the live one, that stay unpacked for a quick rollback
_LOCK = threading.Lock()


def ready(ctx: Context, sha256: str) -> bool:
    """Whether the release is here and whole. Asked by a running deployment, so it stays."""
    with _LOCK:
        return _whole(ctx, sha256)


def keep(ctx: Context, sha256: str, folder: Path, manifest: str) -> None:
    """Give an unpacked folder its name; if another deployment was quicker, theirs is as good."""
    with _LOCK:
        if _whole(ctx, sha256):
            return
        release = paths.release(ctx, sha256)
        files.remove_tree(release.path)
        files.write_whole(paths.manifest_file(ctx, sha256), manifest)
        folder.rename(release.path)
        files.sync_folder(release.path.parent)


def remove_old(ctx: Context) -> int:
    """Remove releases that no environment serves or may soon go back to. Bundles stay."""
    with _LOCK:
        needed = deployments.releases_needed(ctx.db.read(), KEPT)
        old = [one for one in (ctx.data / "releases").iterdir() if not _is_needed(one.name, needed)]
        for one in sorted(old, reverse=True):  # the manifest goes first: without it a release does not count
            files.remove_tree(one)
    return sum(1 for one in old if one.suffix != ".json")


def _whole(ctx: Context, sha256: str) -> bool:
    return paths.release(ctx, sha256).path.is_dir() and paths.manifest_file(ctx, sha256).exists()


def _is_needed(name: str, needed: set[str]) -> bool:
    return name.startswith(".") or name.removesuffix(".json") in needed
