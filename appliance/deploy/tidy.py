"""Keeping no more on disk than is needed."""

from appliance.context import Context
from appliance.machine import files
from appliance.store import bundles, deployments

KEPT = 5  # releases of each environment that stay unpacked, for a quick rollback


def remove_releases(ctx: Context) -> int:
    """Remove releases that no environment serves or may soon go back to. Bundles stay."""
    needed = deployments.releases_needed(ctx.db.read(), KEPT)
    removed = 0
    for folder in (ctx.data / "releases").iterdir():
        name = folder.name.removesuffix(".json")
        if name in needed or name.startswith("."):
            continue
        if folder.suffix != ".json":
            removed += 1
        files.remove_tree(folder)
    return removed


def sweep(ctx: Context) -> None:
    """On start: nothing is left that no row knows."""
    for left in (ctx.data / "incoming").iterdir():
        left.unlink()
    for left in (ctx.data / "releases").iterdir():
        if left.name.startswith("."):
            files.remove_tree(left)
    known = bundles.every_name(ctx.db.read())
    for bundle in (ctx.data / "bundles").glob("??/*.zip"):
        if bundle.stem not in known:
            bundle.unlink()
    remove_releases(ctx)
    for log in (ctx.data / "logs").glob("*.log"):
        if deployments.find(ctx.db.read(), log.stem) is None:
            log.unlink()
