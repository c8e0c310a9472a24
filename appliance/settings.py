"""What an operator may set: one table, read from flags, then what was saved in the UI, then the environment."""

import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from appliance.errors import StartFailed

GIB = 1024**3


@dataclass(frozen=True)
class About:
    """What the docs and the settings page say of one setting."""

    env: str
    text: str
    secret: bool = False
    saved: bool = False  # may be changed in the UI and API


def _setting(default: Any, env: str, text: str, *, secret: bool = False, saved: bool = False) -> Any:
    return field(default=default, metadata={"about": About(f"HOMEPORT_{env}", text, secret, saved)})


def default_data() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/homeport")
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return Path(base) / "homeport"


@dataclass(frozen=True)
class Settings:
    host: str = _setting("127.0.0.1", "HOST", "The address that `serve` listens on")
    port: int = _setting(8420, "PORT", "The port that `serve` listens on")
    data: Path = _setting(Path("/var/lib/homeport"), "DATA", "The folder that holds everything Homeport keeps")
    url: str = _setting(
        "", "URL", "Where people reach this appliance, such as `https://deploy.example.net`", saved=True
    )
    backend: str = _setting("auto", "BACKEND", "Backend of new environments: `auto`, `builtin` or `nginx`", saved=True)
    nginx_sites_available: Path = _setting(
        Path("/etc/nginx/sites-available"), "NGINX_SITES_AVAILABLE", "Where NGINX site files are linked"
    )
    nginx_sites_enabled: Path = _setting(
        Path("/etc/nginx/sites-enabled"), "NGINX_SITES_ENABLED", "Where NGINX reads enabled sites"
    )
    nginx_test: tuple[str, ...] = _setting(
        ("nginx", "-t"), "NGINX_TEST", "The command that tests NGINX's configuration"
    )
    nginx_reload: tuple[str, ...] = _setting(
        ("nginx", "-s", "reload"), "NGINX_RELOAD", "The command that puts NGINX's configuration in force"
    )
    nginx_listen: str = _setting(
        "80", "NGINX_LISTEN", "What NGINX listens on for URLs; several are separated by spaces"
    )
    nginx_conf: Path = _setting(
        Path("/etc/nginx/nginx.conf"), "NGINX_CONF", "NGINX's main file, copied to test a change before it is made"
    )
    nginx_helper: Path | None = _setting(
        None, "NGINX_HELPER", "The socket of the root helper, where `homeport install` set one up"
    )
    nginx_deployments: str = _setting(
        "",
        "NGINX_DEPLOYMENTS",
        "A domain under which NGINX shows each deployment at an address of its own, such as `deploys.example.net`",
    )
    cloudflare_token: str = _setting("", "CLOUDFLARE_TOKEN", "A Cloudflare API token", secret=True, saved=True)
    cloudflare_api: str = _setting(
        "https://api.cloudflare.com/client/v4", "CLOUDFLARE_API", "The base URL of Cloudflare's API"
    )
    cloudflare_proxied: bool = _setting(
        False, "CLOUDFLARE_PROXIED", "Whether new records go through Cloudflare's proxy", saved=True
    )
    dns_target: str = _setting(
        "", "DNS_TARGET", "What records point to: an address makes A or AAAA, a name makes CNAME", saved=True
    )
    bundle_max_files: int = _setting(100_000, "BUNDLE_MAX_FILES", "Most files in a bundle")
    bundle_max_size: int = _setting(4 * GIB, "BUNDLE_MAX_SIZE", "Most bytes in a bundle, unpacked")
    bundle_names: str = _setting(
        "exact",
        "BUNDLE_NAMES",
        "`exact`, or `portable` to refuse names that differ only by case or Unicode form",
        saved=True,
    )
    upload_max: int = _setting(2 * GIB, "UPLOAD_MAX", "Most bytes in an upload")
    upload_hours: int = _setting(
        24, "UPLOAD_HOURS", "Hours for which an upload in pieces is kept after the last one, until it is deployed"
    )
    releases_kept: int = _setting(
        5,
        "RELEASES_KEPT",
        "How many releases of each environment stay unpacked, besides the live one; bundles are always kept",
        saved=True,
    )
    trusted_proxies: str = _setting(
        "", "TRUSTED_PROXIES", "Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed"
    )
    workers: int = _setting(4, "WORKERS", "How many jobs run at once")
    backup_every: str = _setting(
        "off", "BACKUP_EVERY", "How often a backup is taken by itself: `off`, `daily` or `weekly`", saved=True
    )
    backup_hour: int = _setting(2, "BACKUP_HOUR", "At which hour (UTC); weekly ones on Sunday", saved=True)
    backup_keep: int = _setting(7, "BACKUP_KEEP", "How many backups are kept; older ones are deleted", saved=True)
    backup_place: str = _setting("folder", "BACKUP_PLACE", "Where backups go: `folder` or `s3`", saved=True)
    backup_folder: str = _setting(
        "", "BACKUP_FOLDER", "The folder for backups; `backups` in the data folder when empty", saved=True
    )
    backup_s3_endpoint: str = _setting(
        "", "BACKUP_S3_ENDPOINT", "The address of an S3-compatible store; Amazon's in the region when empty", saved=True
    )
    backup_s3_region: str = _setting("us-east-1", "BACKUP_S3_REGION", "The region that requests name", saved=True)
    backup_s3_bucket: str = _setting("", "BACKUP_S3_BUCKET", "The bucket for backups", saved=True)
    backup_s3_prefix: str = _setting("homeport", "BACKUP_S3_PREFIX", "What names in the bucket begin with", saved=True)
    backup_s3_key_id: str = _setting("", "BACKUP_S3_KEY_ID", "The id of the access key", saved=True)
    backup_s3_secret: str = _setting("", "BACKUP_S3_SECRET", "The access key's secret", secret=True, saved=True)
    backup_s3_path_style: bool = _setting(
        True, "BACKUP_S3_PATH_STYLE", "Whether the bucket stands in the path, not in the host name", saved=True
    )
    backup_passphrase: str = _setting(
        "", "BACKUP_PASSPHRASE", "Locks the keys in these backups; without it they have none", secret=True, saved=True
    )

    @classmethod
    def load(cls, flags: Mapping[str, object], environ: Mapping[str, str]) -> Self:
        """Flags before environment before defaults; a value that can't be read stops the start with its name."""
        given: dict[str, Any] = {"data": default_data()}
        for item in fields(cls):
            about: About = item.metadata["about"]
            if about.env in environ:
                given[item.name] = parse_setting(item.name, environ[about.env])
        for name, value in flags.items():
            if value is not None:
                given[name] = parse_setting(name, value) if isinstance(value, str) else value
        given["data"] = Path(given["data"]).absolute()
        return cls(**given)

    def with_saved(self, saved: Mapping[str, str]) -> Self:
        """What was saved in the UI comes before the environment."""
        known = {name: parse_setting(name, text) for name, text in saved.items() if name in SAVED}
        return replace(self, **known)


def parse_setting(name: str, text: str) -> Any:
    """Read one setting from text."""
    reader = _READERS.get(name, str)
    try:
        return reader(text.strip())
    except (ValueError, OverflowError) as why:
        raise StartFailed(f"{about(name).env} is {text!r}, which can't be used: {why}.") from why


def about(name: str) -> About:
    found: About = ABOUT[name]
    return found


def _size(text: str) -> int:
    """Bytes, or a number with K, M, G (binary)."""
    units = {"K": 1024, "M": 1024**2, "G": GIB}
    unit = units.get(text[-1:].upper(), 1)
    number = text[:-1] if unit > 1 else text
    return _positive(number) * unit


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise ValueError("it must be more than zero")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError("a port is a number up to 65535")
    return number


def _address(text: str) -> str:
    """Not one under .localhost: those are sites."""
    url = urlsplit(text)
    host = url.hostname or ""
    good = url.scheme in ("http", "https") and host and url.port != 0 and url.username is None
    if text and (not good or host.endswith(".localhost") or not text.isprintable() or " " in text):
        raise ValueError("enter an address such as https://deploy.example.net")
    return text


def _domain(text: str) -> str:
    name = text.lower().strip(".")
    if name and not re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", name):
        raise ValueError("enter a domain such as deploys.example.net")
    return name


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"it must be one of {', '.join(words)}")
        return text

    return read


def _yes(text: str) -> bool:
    if text.lower() not in {"1", "0", "true", "false", "yes", "no", "on", "off", ""}:
        raise ValueError("it must be yes or no")
    return text.lower() in {"1", "true", "yes", "on"}


def _hour(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 23:
        raise ValueError("an hour is a number from 0 to 23")
    return number


def _folder(text: str) -> str:
    if text and not Path(text).is_absolute():
        raise ValueError("enter the whole path of a folder, such as /mnt/backups")
    return text


def _store(text: str) -> str:
    url = urlsplit(text)
    if text and (url.scheme not in ("http", "https") or not url.hostname or url.query or url.username is not None):
        raise ValueError("enter an address such as https://s3.example.net")
    return text.rstrip("/")


def _bucket(text: str) -> str:
    if text and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text):
        raise ValueError("enter a bucket's name: small letters, digits, dots and dashes")
    return text


def _passphrase(text: str) -> str:
    if text and len(text) < 12:
        raise ValueError("use at least 12 characters")
    return text


def _command(text: str) -> tuple[str, ...]:
    words = tuple(shlex.split(text))
    if not words:
        raise ValueError("it is empty")
    return words


def _path_or_none(text: str) -> Path | None:
    return Path(text) if text else None


_READERS: dict[str, Callable[[str], Any]] = {
    "port": _port,
    "data": Path,
    "url": _address,
    "backend": _one_of("auto", "builtin", "nginx"),
    "nginx_sites_available": Path,
    "nginx_sites_enabled": Path,
    "nginx_test": _command,
    "nginx_reload": _command,
    "nginx_conf": Path,
    "nginx_helper": _path_or_none,
    "nginx_deployments": _domain,
    "cloudflare_proxied": _yes,
    "bundle_max_files": _positive,
    "bundle_max_size": _size,
    "bundle_names": _one_of("exact", "portable"),
    "upload_max": _size,
    "releases_kept": _positive,
    "upload_hours": _positive,
    "workers": _positive,
    "backup_every": _one_of("off", "daily", "weekly"),
    "backup_hour": _hour,
    "backup_keep": _positive,
    "backup_place": _one_of("folder", "s3"),
    "backup_folder": _folder,
    "backup_s3_endpoint": _store,
    "backup_s3_bucket": _bucket,
    "backup_s3_path_style": _yes,
    "backup_passphrase": _passphrase,
}
ABOUT: dict[str, About] = {item.name: item.metadata["about"] for item in fields(Settings)}
SAVED = frozenset(name for name, it in ABOUT.items() if it.saved)
SECRETS = tuple(name for name, it in ABOUT.items() if it.secret)
