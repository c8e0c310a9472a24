"""What differs from one URL's NGINX file to the next. Values that can't stand in such a file can't be made."""

import ipaddress
import json
import re
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self, cast, get_args, get_origin, get_type_hints

from appliance.errors import HostFailed
from appliance.model import header_lines, matching, redirect_lines, rule_lines
from appliance.model.answers import is_hidden
from appliance.model.certificates import LONGEST_HSTS, Https
from appliance.model.fronts import STATUSES, Front, network
from appliance.model.rules import Guard, HeaderRule, Redirect, Rules
from appliance.model.urls import host_name, url_host
from appliance.nginx.words import LONGEST

MODULES = ("brotli", "zstd")
_PATH = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._@+~-]+)+")
_SIX = re.compile(r"\[[0-9a-f:.]+\]")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t -~]{1,2000}")
_TARGET = re.compile(r"(?:/(?![/\\])|https?://[A-Za-z0-9.\[\]:-]+(?![^/?#]))[!-~]*")
_PARAMETER = re.compile(r"[A-Za-z0-9_]{1,64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{2,8})*")
_HASH = re.compile(r"[A-Za-z0-9$./{}=+_-]{4,200}")
_FILES = re.compile(r"[a-z0-9]{1,40}")
_USER = re.compile(r"[^\x00-\x1f\x7f:]{1,200}")


@dataclass(frozen=True)
class SiteConf:
    """One URL: what it is, how it answers, and what stands before it."""

    host: str
    root: Path
    listen: tuple[str, ...]
    rules: Rules = field(default_factory=Rules)
    guard: Guard = field(default_factory=Guard)
    earlier: Path | None = None  # where fingerprinted files of earlier releases are
    modules: tuple[str, ...] = ()  # of NGINX here, besides those that it always has
    front: Front = field(default_factory=Front)  # who may come, or where it leads
    proxies: tuple[str, ...] = ()  # whose word of where a visitor comes from is believed
    https: Https | None = None
    listen_tls: tuple[str, ...] = ()
    http2: str = ""  # how this NGINX is told to speak it: `listen`, `directive`, or not at all
    challenges: bool = False  # whether an ACME server may look here

    def __post_init__(self) -> None:
        if not is_url_host(self.host):
            raise refused(f"{self.host!r} is not a host name.")
        for folder in (self.root, *([self.earlier] if self.earlier else [])):
            if not _PATH.fullmatch(str(folder)):
                raise refused(
                    f"The folder {str(folder)!r} can't stand in an NGINX file.",
                    "Choose a data folder whose path has only letters, digits and . _ - + @ ~ in it.",
                )
        require_listen(self.listen)
        if list(self.modules) != [one for one in MODULES if one in self.modules]:
            raise refused(f"{' '.join(self.modules)!r} are no modules that Homeport makes use of.")
        _require(
            _fits(self.rules, Rules) and _fits(self.guard, Guard), "Its values are not of the kinds they should be."
        )
        _check_rules(self.rules)
        _check_guard(self)
        _check_front(self)
        _check_https(self)

    @property
    def server_name(self) -> str:
        return self.host

    @property
    def essence(self) -> tuple[str, ...]:
        """The lines without which a file that was edited is for something else."""
        return (self.away,) if self.front.redirect_to else (f"root {self.root};",)

    @property
    def away(self) -> str:
        """What leads to another URL."""
        front = self.front
        return f"return {front.redirect_status} $scheme://{front.redirect_to}$homeport_port$request_uri;"

    @property
    def users(self) -> Path:
        """The file with who may come in, beside the one for NGINX."""
        return self.root.parents[2] / "nginx" / f"{file_name(self.host)}.users"

    @property
    def certificate(self) -> Path:
        return self._beside("certificates", certificate_folder(self.host), f"{self.https and self.https.files}.pem")

    @property
    def key(self) -> Path:
        return self.certificate.with_suffix(".key")

    @property
    def asked(self) -> Path:
        """Where an ACME server finds what it was told to look for."""
        return self._beside("challenges")

    def _beside(self, *names: str) -> Path:
        """In the data folder, which the pointer is in too."""
        return self.root.parents[2].joinpath(*names)

    @property
    def text(self) -> str:
        """The one spelling of these values. What is as usual goes without saying."""
        raw: dict[str, Any] = {"host": self.host, "listen": self.listen, "root": str(self.root)}
        if self.rules != Rules():
            raw["rules"] = asdict(self.rules)
        if self.guard != Guard():
            raw["guard"] = asdict(self.guard)
        if self.earlier:
            raw["earlier"] = str(self.earlier)
        if self.modules:
            raw["modules"] = self.modules
        if self.front != Front():
            raw["front"] = json.loads(self.front.text)
        if self.proxies:
            raw["proxies"] = self.proxies
        if self.https:
            raw["https"] = {**asdict(self.https), "listen": self.listen_tls, "http2": self.http2}
        if self.challenges:
            raw["challenges"] = True
        return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read back what `text` gave; HostFailed for what never came from there."""
        try:
            raw = json.loads(text)
            return cls(
                host=raw["host"],
                root=Path(raw["root"]),
                listen=tuple(raw["listen"]),
                rules=Rules.of(json.dumps(raw["rules"])) if "rules" in raw else Rules(),
                guard=Guard(**raw["guard"]) if "guard" in raw else Guard(),
                earlier=Path(raw["earlier"]) if "earlier" in raw else None,
                modules=tuple(raw.get("modules", ())),
                front=Front.of(json.dumps(raw["front"])) if "front" in raw else Front(),
                proxies=tuple(raw.get("proxies", ())),
                **_https_of(raw.get("https")),
                challenges=raw.get("challenges", False),
            )
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as why:
            raise refused("The file does not say what it is for.") from why


def file_name(host: str) -> str:
    """Of a host, or a wildcard, whose star would be a pattern where NGINX reads names of files."""
    return host.replace("*", "+")


def host_of_file(name: str) -> str:
    return name.replace("+", "*")


def certificate_folder(host: str) -> str:
    """A wildcard's name would be no good name for a folder."""
    return host.replace("*", "+")


def refused(detail: str, *todo: str) -> HostFailed:
    return HostFailed(detail, code="nginx_text", todo=todo)


def require_listen(listen: tuple[str, ...], setting: str = "HOMEPORT_NGINX_LISTEN", port: int = 80) -> None:
    if not listen or len(set(listen)) < len(listen) or not all(map(is_listen, listen)):
        raise refused(
            f"{' '.join(listen)!r} is nothing that NGINX can listen on.",
            f"Set {setting} to a port such as {port}, or to addresses such as 192.0.2.10:{port} [::]:{port}.",
        )


def _https_of(raw: dict[str, Any] | None) -> dict[str, Any]:
    if raw is None:
        return {}
    named = Https(raw["files"], raw["redirect"], raw["hsts"])
    return {"https": named, "listen_tls": tuple(raw["listen"]), "http2": raw["http2"]}


def _check_https(conf: SiteConf) -> None:
    _require(type(conf.challenges) is bool, "Whether an ACME server may look is yes or no.")
    if conf.https is None:
        _require(not conf.listen_tls and not conf.http2, "HTTPS is half set up.")
    else:
        _require(_fits(conf.https, Https), "Its values for HTTPS are not of the kinds they should be.")
        _require(_matches(_FILES, conf.https.files), f"{conf.https.files!r} can't be the name of a certificate.")
        _require(0 <= conf.https.hsts <= LONGEST_HSTS, "HSTS can't be for so long.")
        _require(conf.http2 in ("", "listen", "directive"), "HTTP/2 can't be spoken so.")
        require_listen(conf.listen_tls, "HOMEPORT_NGINX_LISTEN_TLS", 443)
    if conf.https or conf.challenges:
        _require(len(conf.root.parents) > 3, f"There is no place for certificates to {conf.root}.")


def _check_rules(rules: Rules) -> None:
    for given in (rules.pages, rules.fingerprinted):
        _require(_matches(_VALUE, given), f"{given!r} can't be a Cache-Control.")
    _require(_is_file(rules.fallback), f"{rules.fallback!r} is no file to fall back to.")
    for redirect in rules.redirects:
        _require(_is_redirect(redirect), f"The redirect from {redirect.source!r} can't stand in an NGINX file.")
    for block in rules.headers:
        _require(_is_block(block), f"The headers for {block.source!r} can't stand in an NGINX file.")


def _is_redirect(one: Redirect) -> bool:
    return (
        _is_source(one.source)
        and _matches(_TARGET, one.target)
        and (_is_shown(one.target) if one.status in redirect_lines.IN_PLACE else one.status in redirect_lines.AWAY)
        and all(_matches(_PARAMETER, name) and _is_wanted(value) for name, value in one.query)
        and all(_matches(_LANGUAGE, language) for language in one.languages)
        and len(",".join(one.languages)) <= redirect_lines.LONGEST_LANGUAGES
        and len(one.query) <= redirect_lines.MOST_PARAMETERS
    )


def _is_source(source: str) -> bool:
    if not source.startswith("/") or not source.isprintable():
        return False
    return max(len(matching.as_sent(source)), len(matching.as_served(source))) <= rule_lines.LONGEST_EXPRESSION


def _is_shown(target: str) -> bool:
    return target.startswith("/") and "?" not in target and "#" not in target and not is_hidden(target.encode())


def _is_wanted(value: str) -> bool:
    if value.startswith(":"):
        return len(value) <= 60 and re.fullmatch(matching.NAME, value) is not None
    return re.fullmatch(r"[!-~]{1,60}", value) is not None and not set("&#?") & set(value)


def _is_block(block: HeaderRule) -> bool:
    names = [*block.removed, *(name for name, _ in block.headers)]
    return (
        _is_source(block.source)
        and all(_matches(_NAME, name) and not header_lines.SERVERS_OWN.fullmatch(name) for name in names)
        and not {name.lower() for name in names} & header_lines.WHY_NOT.keys()
        and all(_matches(_VALUE, value) for _, value in block.headers)
    )


def _is_file(name: str) -> bool:
    return not name or (name.isprintable() and len(name.encode()) < LONGEST // 4 and not is_hidden(f"/{name}".encode()))


def _check_guard(conf: SiteConf) -> None:
    guard = conf.guard
    if guard.password:
        _require(_matches(_USER, guard.user), f"{guard.user!r} can't be the name of who comes in.")
        _require(_matches(_HASH, guard.password), "The password is not hashed as NGINX knows it.")
        _require(len(conf.root.parents) > 3, f"There is no place for the names of who may come in to {conf.root}.")
    _require(guard.maintenance.isprintable(), "The page for while the site is worked on has characters without a face.")


def _check_front(conf: SiteConf) -> None:
    front = conf.front
    _require(_fits(front, Front) and _fits(conf.proxies, tuple[str, ...]), "What stands before it is no front.")
    _require(not front.redirect_to or is_host(front.redirect_to), f"{front.redirect_to!r} is nowhere to lead to.")
    _require(front.redirect_status in STATUSES, f"{front.redirect_status} is no status that leads elsewhere.")
    _require(not (front.user or front.password), "A password belongs to what stands before the site.")
    _require(not (front.redirect_to and front.allow), "What leads elsewhere is not kept to some visitors.")
    for one in (*front.allow, *conf.proxies):
        _require(_is_network(one), f"{one!r} is no address or network.")


def _is_network(text: str) -> bool:
    try:
        return network(text) == text
    except ValueError:
        return False


def _matches(pattern: re.Pattern[str], value: str) -> bool:
    return pattern.fullmatch(value) is not None


def _fits(value: object, kind: Any) -> bool:
    """Whether a value read from text is what its type says, all the way down."""
    if is_dataclass(kind):
        hints = _hints(cast(type, kind))
        return type(value) is kind and all(_fits(getattr(value, name), hints[name]) for name in hints)
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        if not isinstance(value, tuple):
            return False
        if kinds[-1] is Ellipsis:
            return all(_fits(one, kinds[0]) for one in value)
        return len(value) == len(kinds) and all(map(_fits, value, kinds))
    return type(value) is kind


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _require(good: bool, otherwise: str) -> None:
    if not good:
        raise refused(otherwise)


def is_host(text: str) -> bool:
    try:
        return host_name(text) == text
    except ValueError:
        return False


def is_url_host(text: str) -> bool:
    """A host name, or a wildcard."""
    try:
        return url_host(text) == text
    except ValueError:
        return False


def is_listen(text: str) -> bool:
    """`80`, `192.0.2.10:80` or `[::]:80`."""
    address, colon, port = text.rpartition(":")
    if not _PORT.fullmatch(port) or int(port) > 65535:
        return False
    if not colon:
        return True
    try:
        if _SIX.fullmatch(address):
            return str(ipaddress.IPv6Address(address[1:-1])) == address[1:-1]
        return str(ipaddress.IPv4Address(address)) == address
    except ValueError:
        return False
