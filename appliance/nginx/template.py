"""One URL as an NGINX file. Pure: text out of values, and values out of text that holds nothing else."""

import ipaddress
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from appliance.errors import HostFailed
from appliance.model import serving
from appliance.model.urls import host_name

TEMPLATE = resources.files("appliance.nginx").joinpath("site.conf").read_text("utf-8")
MARK = TEMPLATE.split("\n", 1)[0]
LONGEST = 64 * 1024

_ROOT = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._@+~-]+)+")
_SIX = re.compile(r"\[[0-9a-f:.]+\]")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LINE = re.compile(r"    (listen|server_name|root) ([^;\s]+);")


@dataclass(frozen=True)
class SiteConf:
    """What differs from one URL's file to the next. Values that can't stand in such a file can't be made."""

    host: str
    root: Path
    listen: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _is_host(self.host):
            raise _refused(f"{self.host!r} is not a host name.")
        if not _ROOT.fullmatch(str(self.root)):
            raise _refused(
                f"The folder {str(self.root)!r} can't stand in an NGINX file.",
                "Choose a data folder whose path has only letters, digits and . _ - + @ ~ in it.",
            )
        if not self.listen or len(set(self.listen)) < len(self.listen) or not all(map(_is_listen, self.listen)):
            raise _refused(
                f"{' '.join(self.listen)!r} is nothing that NGINX can listen on.",
                "Set HOMEPORT_NGINX_LISTEN to a port such as 80, or to addresses such as 192.0.2.10:80 [::]:80.",
            )


def render(conf: SiteConf) -> str:
    """The whole file."""
    values = {
        "listen": "\n".join(f"    listen {it};" for it in conf.listen),
        "host": conf.host,
        "root": str(conf.root),
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: values[found[1]], _STANDING)


def read(text: str) -> SiteConf:
    """The values in a file, if rendering them gives the same file byte for byte; HostFailed for any other text."""
    found: dict[str, list[str]] = {"listen": [], "server_name": [], "root": []}
    for line in text[:LONGEST].split("\n"):
        if match := _LINE.fullmatch(line):
            found[match[1]].append(match[2])
    if len(found["server_name"]) != 1 or len(found["root"]) != 1:
        raise _refused("The file is not one that Homeport made.")
    conf = SiteConf(found["server_name"][0], Path(found["root"][0]), tuple(found["listen"]))
    if render(conf) != text:
        raise _refused("The file holds something that Homeport did not put there.")
    return conf


def is_ours(text: str) -> bool:
    """Whether a file bears our mark, on its first line."""
    return text.split("\n", 1)[0] == MARK


def _is_host(text: str) -> bool:
    try:
        return host_name(text) == text
    except ValueError:
        return False


def _is_listen(text: str) -> bool:
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


def _refused(detail: str, *todo: str) -> HostFailed:
    return HostFailed(detail, code="nginx_text", todo=todo)


def _standing() -> str:
    """The template with everything filled in that is the same for every URL."""
    types = (f'        "{serving.with_charset(kind)}" {" ".join(endings)};' for kind, endings in serving.TYPES.items())
    text = TEMPLATE.replace("{{ types }}", "\n".join(types))
    text = text.replace("{{ not_found }}", serving.NOT_FOUND)
    return text.replace("{{ not_allowed }}", serving.NOT_ALLOWED)


_STANDING = _standing()
