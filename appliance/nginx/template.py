"""One URL as an NGINX file, or all deployments. Pure: text out of values, values out of text that holds nothing else.

A comment at its beginning holds its values. What a file says is believed for those alone: it is written anew from them,
and has to come out the same to the last byte.
"""

import re
from importlib import resources
from itertools import takewhile

from appliance.errors import HostFailed
from appliance.model import serving
from appliance.nginx import gate, secure
from appliance.nginx.answers import Answers, answers
from appliance.nginx.values import SiteConf, refused
from appliance.nginx.wildcard import Wildcard
from appliance.nginx.words import DOLLAR, assigned, indented

__all__ = ["LONGEST", "MARK", "TEMPLATE", "Conf", "SiteConf", "Wildcard", "is_ours", "read", "render", "users_in"]

Conf = SiteConf | Wildcard
LONGEST = 16 << 20
TEMPLATE = resources.files("appliance.nginx").joinpath("site.conf").read_text("utf-8")
MAINTENANCE = resources.files("appliance.nginx").joinpath("maintenance.conf").read_text("utf-8")
REDIRECT = resources.files("appliance.nginx").joinpath("redirect.conf").read_text("utf-8")
DEPLOYMENTS = resources.files("appliance.nginx").joinpath("deployments.conf").read_text("utf-8")
MARK = TEMPLATE.split("\n", 1)[0]
_VALUES = "#= "
_PART = 2000  # NGINX reads no line of more than 4,096 bytes, not even one that it passes over
_PLACE = re.compile(r"\{\{ (\w+) \}\}")
_ALONE = re.compile(r"^(\{\{ \w+ \}\})\n", re.MULTILINE)
_STATIC = {"brotli": "brotli_static on;", "zstd": "zstd_static on;"}


def render(conf: Conf) -> str:
    """The whole file."""
    if isinstance(conf, Wildcard):
        return _filled(_DEPLOYMENTS, {**_common(conf), "name": conf.server_name, "upstream": conf.upstream})
    return _site(conf)


def read(text: str) -> Conf:
    """The values in a file, if rendering them gives the same file byte for byte; HostFailed for any other text."""
    mark, _, rest = text[:LONGEST].partition("\n")
    if mark != MARK:
        raise refused("The file is not one that Homeport made.")
    lines = takewhile(lambda line: line.startswith(_VALUES), rest.split("\n"))
    conf = _of("".join(line.removeprefix(_VALUES) for line in lines))
    if render(conf) != text:
        raise refused("The file holds something that Homeport did not put there.")
    return conf


def is_ours(text: str) -> bool:
    """Whether a file bears our mark, on its first line."""
    return text.split("\n", 1)[0] == MARK


def users_in(text: str) -> str:
    """What the file with who may come in says beside this one; empty where there is to be none."""
    try:
        conf = read(text)
    except HostFailed:
        return ""  # made by another version
    if isinstance(conf, Wildcard):
        return ""
    guard = conf.guard
    shown = not guard.maintenance and not conf.front.redirect_to
    return f"{guard.user}:{guard.password}\n" if guard.password and shown else ""


def _site(conf: SiteConf) -> str:
    values = {**_common(conf), "host": conf.host, "root": str(conf.root)}
    values["gate"] = _lines([*gate.depth(conf), *gate.gate(conf)], 1)
    if conf.front.redirect_to:
        return _filled(_REDIRECT, {**values, "away": conf.away})
    if conf.guard.maintenance:
        page = assigned("homeport_page", "", serving.maintenance(conf.guard.maintenance))
        values |= {
            "tables": _lines(gate.table(conf), 0),
            "page": _lines(page, 1),
            "retry_after": str(serving.RETRY_AFTER),
        }
        return _filled(_MAINTENANCE, values)
    inside = answers(conf)
    tables = [*([DOLLAR] if _has_dollar(inside) else []), *gate.table(conf), *inside.tables]
    values |= {
        "tables": _lines(tables, 0),
        "compressed": _lines(["gzip_static on;", *(_STATIC[one] for one in conf.modules), *_CHOOSING], 1),
        "adding": _lines(inside.adding, 1),
        "jumps": _lines(inside.jumps, 1),
        "server": _lines(inside.server, 1),
        "answers": _lines(inside.locations, 1),
        "fallback": _lines(inside.fallback, 2),
    }
    return _filled(_TEMPLATE, values)


def _of(values: str) -> Conf:
    return Wildcard.of(values) if values.startswith('{"domain":') else SiteConf.of(values)


def _common(conf: Conf) -> dict[str, str]:
    values, listen = [f"{_VALUES}{part}" for part in _cut(conf.text)], [f"listen {it};" for it in conf.listen]
    if isinstance(conf, SiteConf):
        values, listen = [*values, *secure.before(conf)], secure.listening(conf)
    return {"values": _lines(values, 0), "listen": _lines(listen, 1)}


def _cut(text: str) -> list[str]:
    return [text[at : at + _PART] for at in range(0, len(text), _PART)]


def _has_dollar(inside: Answers) -> bool:
    lines = (*inside.tables, *inside.adding, *inside.server, *inside.fallback, *inside.locations)
    return any("${homeport_dollar}" in line for line in lines)


def _lines(lines: list[str], deep: int) -> str:
    for _ in range(deep):
        lines = indented(lines)
    return "".join(f"{line}\n" for line in lines)


def _filled(template: list[str], values: dict[str, str]) -> str:
    """Text and names of values in turn."""
    return "".join(values[part] if at % 2 else part for at, part in enumerate(template))


def _parts(template: str) -> list[str]:
    """What is the same for every URL, filled in and taken apart where values come. A place alone on a line is lines."""
    types = (f'        "{serving.with_charset(kind)}" {" ".join(endings)};' for kind, endings in serving.TYPES.items())
    text = template.replace("{{ types }}", "\n".join(types))
    text = text.replace("{{ not_found }}", serving.NOT_FOUND).replace("{{ not_allowed }}", serving.NOT_ALLOWED)
    return _PLACE.split(_ALONE.sub(r"\1", text))


_CHOOSING = ["gzip_http_version 1.1;", "gzip_proxied off;", "gzip_vary on;"]
_TEMPLATE, _MAINTENANCE = map(_parts, (TEMPLATE, MAINTENANCE))
_REDIRECT, _DEPLOYMENTS = map(_parts, (REDIRECT, DEPLOYMENTS))
