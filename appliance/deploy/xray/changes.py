"""What is new, gone and changed between two releases."""

from collections.abc import Collection

from appliance.deploy.xray.findings import few
from appliance.model.manifests import Manifest
from appliance.model.xrays import Changes, FileChange, Names

MOST = 200  # files named in a comparison


def split(before: Manifest, after: Manifest) -> tuple[set[str], set[str], list[str]]:
    """Paths that were added, removed and changed."""
    if before is after:
        return set(), set(), []
    both = before.keys() & after.keys()
    changed = [path for path in both if before[path].sha256 != after[path].sha256]
    return after.keys() - both, before.keys() - both, changed


def names_of(paths: Collection[str], manifest: Manifest) -> Names:
    return Names(len(paths), sum(manifest[path].size for path in paths), few(paths))


def changes_of(paths: Collection[str], before: Manifest, after: Manifest) -> Changes:
    """With the sizes on both sides."""
    files = (
        FileChange(path, before[path].size if path in before else None, after[path].size if path in after else None)
        for path in sorted(paths)[:MOST]
    )
    return Changes(len(paths), tuple(files))
