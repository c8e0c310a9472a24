"""Where the engine keeps things."""

import os
from pathlib import Path

from appliance.context import Context
from appliance.model.sites import Release

OURS_ALONE = ("bundles", "incoming", "logs", "backups")
SERVED = ("releases", "sites", "nginx")


def make_folders(data: Path) -> None:
    """The web server may read what is served, and nothing else."""
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    for name in OURS_ALONE:
        (data / name).mkdir(mode=0o700, exist_ok=True)
    for name in SERVED:
        folder = data / name
        if not folder.exists():
            folder.mkdir()
            os.chmod(folder, 0o755)  # whatever the umask was  # noqa: S103


def bundle_file(ctx: Context, sha256: str) -> Path:
    return ctx.data / "bundles" / sha256[:2] / f"{sha256}.zip"


def release(ctx: Context, sha256: str) -> Release:
    return Release(sha256, ctx.data / "releases" / sha256)


def manifest_file(ctx: Context, sha256: str) -> Path:
    return ctx.data / "releases" / f"{sha256}.json"


def project_folder(ctx: Context, project: str) -> Path:
    return ctx.data / "sites" / project


def pointer(ctx: Context, project: str, environment: str) -> Path:
    return project_folder(ctx, project) / environment


def nowhere(ctx: Context) -> Path:
    """A pointer that never leads anywhere."""
    return ctx.data / "sites" / "-"


def log_file(ctx: Context, deployment: str) -> Path:
    return ctx.data / "logs" / f"{deployment}.log"
