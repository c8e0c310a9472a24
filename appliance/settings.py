"""What an operator may set: one table, read from flags, then what was saved in the UI, then the environment."""

import ipaddress
import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from email.utils import parseaddr
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
    owners: bool = False  # by owners alone: whoever changes it could come in as somebody else


def _setting(
    default: Any, env: str, text: str, *, secret: bool = False, saved: bool = False, owners: bool = False
) -> Any:
    about = About(f"HOMEPORT_{env}", text, secret, saved, owners)
    return field(default=default, repr=not secret, metadata={"about": about})


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
        "", "URL", "Where people reach this appliance, such as `https://deploy.example.net`", saved=True, owners=True
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
    nginx_listen_tls: str = _setting(
        "443", "NGINX_LISTEN_TLS", "What NGINX listens on for HTTPS; several are separated by spaces"
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
    dns_provider: str = _setting(
        "auto",
        "DNS_PROVIDER",
        "Who makes records: `none`, `cloudflare`, `rfc2136`, `route53` or `manual`; "
        "`auto` is Cloudflare where a token is set, else `none`",
        saved=True,
    )
    dns_ttl: int = _setting(300, "DNS_TTL", "Seconds for which others may keep a new record", saved=True)
    dns_resolver: str = _setting(
        "",
        "DNS_RESOLVER",
        "The name server asked whether records are there, such as `10.0.0.53`; those of each zone when empty",
        saved=True,
    )
    url_domains: str = _setting(
        "", "URL_DOMAINS", "Domains that URLs may be in, such as `example.com example.net`; any when empty"
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
    rfc2136_server: str = _setting(
        "",
        "RFC2136_SERVER",
        "The name server that takes updates: an address or a name, with a port if not 53",
        saved=True,
    )
    rfc2136_key_name: str = _setting("", "RFC2136_KEY_NAME", "The name of the key that signs updates", saved=True)
    rfc2136_algorithm: str = _setting("hmac-sha256", "RFC2136_ALGORITHM", "Its algorithm", saved=True)
    rfc2136_key_secret: str = _setting("", "RFC2136_KEY_SECRET", "The key itself, in Base64", secret=True, saved=True)
    route53_key_id: str = _setting("", "ROUTE53_KEY_ID", "The id of an access key for Route 53", saved=True)
    route53_secret: str = _setting("", "ROUTE53_SECRET", "The access key's secret", secret=True, saved=True)
    route53_api: str = _setting("https://route53.amazonaws.com", "ROUTE53_API", "The base URL of Route 53's API")
    tls: str = _setting(
        "off", "TLS", "Where certificates of new URLs come from: `off`, `acme`, or `internal`", saved=True
    )
    acme_directory: str = _setting(
        "https://acme-v02.api.letsencrypt.org/directory",
        "ACME_DIRECTORY",
        "The address of the ACME server's directory",
        saved=True,
    )
    acme_email: str = _setting("", "ACME_EMAIL", "Where that server writes to about certificates", saved=True)
    acme_challenge: str = _setting(
        "http", "ACME_CHALLENGE", "How names are shown to be ours: `http` or `dns`; wildcards by `dns`", saved=True
    )
    acme_eab_id: str = _setting("", "ACME_EAB_ID", "The account there, where the server asks for one", saved=True)
    acme_eab_key: str = _setting("", "ACME_EAB_KEY", "Its key, in base64url", secret=True, saved=True)
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
        "",
        "TRUSTED_PROXIES",
        "Addresses and networks of proxies whose X-Forwarded-For, -Proto and -Host are believed, such as `10.0.0.0/8`",
    )
    hosts: str = _setting(
        "", "HOSTS", "Names that this appliance answers by besides the one in its URL; `*` for any at all"
    )
    cors_origins: str = _setting(
        "", "CORS_ORIGINS", "Other sites whose pages may use the API with a key, such as `https://status.example.net`"
    )
    hsts: int = _setting(0, "HSTS", "Seconds for which browsers come back by HTTPS alone, once they came by it")
    limit_key: int = _setting(6000, "LIMIT_KEY", "Most requests a minute with one key; `0` for no limit")
    limit_person: int = _setting(
        6000, "LIMIT_PERSON", "Most requests a minute of one person who is signed in; `0` for no limit"
    )
    limit_address: int = _setting(
        3000, "LIMIT_ADDRESS", "Most requests a minute from one address by whoever isn't signed in; `0` for no limit"
    )
    limit_tries: int = _setting(
        60,
        "LIMIT_TRIES",
        "Most tries a minute from one address at each of signing in, setting up and the like; `0` for no limit",
    )
    syslog: str = _setting(
        "", "SYSLOG", "Where activity goes besides: `udp://host:514`, `tcp://host:601` or `unix:/dev/log`"
    )
    outgoing_allow: str = _setting(
        "",
        "OUTGOING_ALLOW",
        "Networks and host names inside that notifications may go to, such as `10.1.0.0/16 chat.example.internal`",
    )
    log_days: int = _setting(30, "LOG_DAYS", "Days for which lines of the process log are kept", saved=True)
    log_lines: int = _setting(50_000, "LOG_LINES", "Most lines of the process log that are kept", saved=True)
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
    smtp_host: str = _setting("", "SMTP_HOST", "The server that e-mail goes out by", saved=True, owners=True)
    smtp_port: int = _setting(587, "SMTP_PORT", "Its port", saved=True, owners=True)
    smtp_security: str = _setting(
        "starttls", "SMTP_SECURITY", "How it is spoken to: `starttls`, `tls` or `none`", saved=True, owners=True
    )
    smtp_user: str = _setting("", "SMTP_USER", "The user name that it asks for", saved=True, owners=True)
    smtp_password: str = _setting("", "SMTP_PASSWORD", "The password", secret=True, saved=True, owners=True)
    smtp_from: str = _setting(
        "", "SMTP_FROM", "The sender, such as `Homeport <homeport@example.net>`", saved=True, owners=True
    )
    second_factor: str = _setting(
        "optional",
        "SECOND_FACTOR",
        "`optional`, or `required`: whoever has no second factor can do nothing but set one up",
        saved=True,
        owners=True,
    )
    password_sign_in: bool = _setting(
        True, "PASSWORD_SIGN_IN", "Whether people who are no owners may sign in by password", saved=True, owners=True
    )

    join_domains: str = _setting(
        "",
        "JOIN_DOMAINS",
        "Domains whose addresses may join by themselves once they are seen to be somebody's own, such as `example.net`",
        saved=True,
        owners=True,
    )
    join_role: str = _setting(
        "viewer", "JOIN_ROLE", "The role that they get: `developer`, `viewer` or `none`", saved=True, owners=True
    )
    invitation_days: int = _setting(7, "INVITATION_DAYS", "Days for which an invitation works", saved=True)

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
        shown = "set to something" if about(name).secret else f"{text!r},"
        raise StartFailed(f"{about(name).env} is {shown} which can't be used: {why}.") from why


def about(name: str) -> About:
    found: About = ABOUT[name]
    return found


def nearest(name: str) -> str | None:
    """What may be saved and is called most like that."""
    return next(iter(get_close_matches(name.lower(), SAVED, n=1)), None)


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


def _up_to(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not 1 <= number <= most:
            raise ValueError(f"it is from 1 to {most}")
        return number

    return read


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


def _domains(text: str) -> str:
    return ",".join(dict.fromkeys(_domain(one) for one in text.replace(",", " ").split()))


def _days(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 90:
        raise ValueError("enter 1 to 90 days")
    return number


def _networks(text: str) -> str:
    try:
        return " ".join(str(ipaddress.ip_network(one, strict=False)) for one in _words(text))
    except ValueError:
        raise ValueError("name addresses and networks, such as 192.0.2.1 or 10.0.0.0/8") from None


def _hosts(text: str) -> str:
    names = [name.lower().rstrip(".") for name in _words(text)]
    if not all(name == "*" or re.fullmatch(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?", name) for name in names):
        raise ValueError("name hosts without a scheme or a port, such as deploy.example.net")
    return " ".join(names)


def _origins(text: str) -> str:
    for origin in _words(text):
        url = urlsplit(origin)
        if origin == "*":
            raise ValueError("name each site; a key in the hands of any page there is would be in anyone's")
        if url.scheme not in ("http", "https") or not url.hostname or origin != f"{url.scheme}://{url.netloc}".lower():
            raise ValueError("name sites by scheme and host alone, such as https://status.example.net")
    return " ".join(_words(text))


def _inside(text: str) -> str:
    """Networks and host names, in any order."""
    return " ".join(_networks(one) if re.fullmatch(r"[0-9./]+|.*:.*", one) else _hosts(one) for one in _words(text))


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _from_zero(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("it can't be less than zero")
    return number


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


def _syslog(text: str) -> str:
    to = urlsplit(text)
    there = to.path if to.scheme == "unix" else to.hostname and to.port
    if text and (to.scheme not in ("udp", "tcp", "unix") or not there):
        raise ValueError("enter udp://host:514, tcp://host:601 or unix:/dev/log")
    return text


def _store(text: str) -> str:
    url = urlsplit(text)
    if text and (url.scheme not in ("http", "https") or not url.hostname or url.query or url.username is not None):
        raise ValueError("enter an address such as https://s3.example.net")
    return text.rstrip("/")


def _directory(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.username is not None or not text.isprintable():
        raise ValueError("enter an address such as https://acme-v02.api.letsencrypt.org/directory")
    return text


def _mail_address(text: str) -> str:
    if text and (parseaddr(text)[1] != text or not re.fullmatch(r"[^@\s<>\"']{1,64}@[A-Za-z0-9.-]+", text)):
        raise ValueError("enter an address such as webmaster@example.net")
    return text


def _bucket(text: str) -> str:
    if text and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text):
        raise ValueError("enter a bucket's name: small letters, digits, dots and dashes")
    return text


def _passphrase(text: str) -> str:
    if text and len(text) < 12:
        raise ValueError("use at least 12 characters")
    return text


def _mail_host(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:.]{2,45}", text):
        raise ValueError("enter a host name or an address, such as mail.example.net")
    return text


def _mail_port(text: str) -> int:
    number = _port(text)
    if not number:
        raise ValueError("a port is a number from 1 to 65535")
    return number


def _sender(text: str) -> str:
    name, address = parseaddr(text)
    good = re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", address)
    if text and (not good or not text.isprintable() or text not in (address, f"<{address}>", f"{name} <{address}>")):
        raise ValueError("enter an address such as homeport@example.net, or Homeport <homeport@example.net>")
    return text


def _word(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", text):
        raise ValueError("it is a word, such as cloudflare")
    return text


def _ttl(text: str) -> int:
    number = int(text)
    if not 60 <= number <= 86400:
        raise ValueError("it is from 60 to 86400 seconds")
    return number


def _name_server(text: str) -> str:
    """An address or a name, with or without a port; an address of version 6 with a port stands in brackets."""
    host, port = text, ""
    if found := re.fullmatch(r"\[([0-9a-fA-F:]+)\](?::(\d+))?|([^:]+):(\d+)", text):
        host, port = found[1] or found[3], found[2] or found[4] or ""
    good = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:]{2,45}", host)
    if text and (not good or (port and not 1 <= int(port) <= 65535)):
        raise ValueError("enter an address or a name, such as 10.0.0.53 or ns1.example.net:5353")
    return text


def _key_name(text: str) -> str:
    name = text.rstrip(".")
    if not re.fullmatch(r"([A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*)?", name):
        raise ValueError("enter the key's name as the name server has it, such as homeport-key")
    return name


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
    "dns_provider": _word,
    "dns_ttl": _ttl,
    "dns_resolver": _name_server,
    "cloudflare_proxied": _yes,
    "tls": _one_of("off", "acme", "internal"),
    "acme_directory": _directory,
    "acme_email": _mail_address,
    "acme_challenge": _one_of("http", "dns"),
    "rfc2136_server": _name_server,
    "rfc2136_key_name": _key_name,
    "rfc2136_algorithm": _one_of("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1", "hmac-md5"),
    "route53_api": _store,
    "bundle_max_files": _positive,
    "bundle_max_size": _size,
    "bundle_names": _one_of("exact", "portable"),
    "upload_max": _size,
    "releases_kept": _positive,
    "upload_hours": _positive,
    "syslog": _syslog,
    "outgoing_allow": _inside,
    "log_days": _up_to(3650),
    "log_lines": _up_to(1_000_000),
    "workers": _positive,
    "trusted_proxies": _networks,
    "hosts": _hosts,
    "cors_origins": _origins,
    "hsts": _from_zero,
    "limit_key": _from_zero,
    "limit_person": _from_zero,
    "limit_address": _from_zero,
    "limit_tries": _from_zero,
    "backup_every": _one_of("off", "daily", "weekly"),
    "backup_hour": _hour,
    "backup_keep": _positive,
    "backup_place": _one_of("folder", "s3"),
    "backup_folder": _folder,
    "backup_s3_endpoint": _store,
    "backup_s3_bucket": _bucket,
    "backup_s3_path_style": _yes,
    "backup_passphrase": _passphrase,
    "smtp_host": _mail_host,
    "smtp_port": _mail_port,
    "smtp_security": _one_of("starttls", "tls", "none"),
    "smtp_from": _sender,
    "second_factor": _one_of("optional", "required"),
    "password_sign_in": _yes,
    "join_domains": _domains,
    "join_role": _one_of("developer", "viewer", "none"),
    "invitation_days": _days,
}
ABOUT: dict[str, About] = {item.name: item.metadata["about"] for item in fields(Settings)}
SAVED = frozenset(name for name, it in ABOUT.items() if it.saved)
SECRETS = tuple(name for name, it in ABOUT.items() if it.secret)
