"""Where the engine keeps things."""

import os
from pathlib import Path

from appliance.context import Context
from appliance.machine.shelf import Shelf
from appliance.model.certificates import Certificate
from appliance.model.rules import REVALIDATE, Rules
from appliance.model.sites import Release
from appliance.nginx.values import certificate_folder

OURS_ALONE = ("bundles", "incoming", "uploads", "logs", "backups", "gone", "certificates")
SERVED = ("files", "releases", "sites", "earlier", "nginx", "challenges")


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
    Shelf(data / "files").make()


def bundle_file(ctx: Context, sha256: str) -> Path:
    return ctx.data / "bundles" / sha256[:2] / f"{sha256}.zip"


def made_bundle_file(ctx: Context, sha256: str) -> Path:
    """The manifest of a bundle that was deployed file by file."""
    return ctx.data / "bundles" / sha256[:2] / f"{sha256}.json"


def upload_file(ctx: Context, upload: str) -> Path:
    """As much of an upload in pieces as has arrived."""
    return ctx.data / "uploads" / upload


def shelf(ctx: Context) -> Shelf:
    return Shelf(ctx.data / "files")


def release(ctx: Context, name: str, rules: Rules | None = None) -> Release:
    return Release(name, ctx.data / "releases" / name, rules or Rules())


def unfrozen_rules(root: Path) -> Rules:
    """How all releases answered before rules were kept with deployments."""
    return Rules(fallback="200.html" if (root / "200.html").is_file() else "", fingerprinted=REVALIDATE)


def manifest_file(ctx: Context, name: str) -> Path:
    return ctx.data / "releases" / f"{name}.json"


def gone_folder(ctx: Context) -> Path:
    """Manifests of releases that were removed, until their contents were looked at."""
    return ctx.data / "gone"


def earlier(ctx: Context, environment_id: int) -> Path:
    """Fingerprinted files of releases that were live before."""
    return ctx.data / "earlier" / str(environment_id)


def project_folder(ctx: Context, project: str) -> Path:
    return ctx.data / "sites" / project


def pointer(ctx: Context, project: str, environment: str) -> Path:
    return project_folder(ctx, project) / environment


def nowhere(ctx: Context) -> Path:
    """A pointer that never leads anywhere."""
    return ctx.data / "sites" / "-"


def certificates(ctx: Context, host: str) -> Path:
    """The certificate and the key of a host, ours alone."""
    return ctx.data / "certificates" / certificate_folder(host)


def has_certificate(ctx: Context, one: Certificate) -> bool:
    folder = certificates(ctx, one.host)
    return all((folder / f"{one.files}{ending}").is_file() for ending in (".pem", ".key"))


def internal_ca(ctx: Context) -> Path:
    return ctx.data / "certificates" / "@internal"


def challenges(ctx: Context) -> Path:
    """What ACME servers look for, by token."""
    return ctx.data / "challenges"


def log_file(ctx: Context, deployment: str) -> Path:
    return ctx.data / "logs" / f"{deployment}.log"
