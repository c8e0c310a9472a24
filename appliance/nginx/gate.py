"""Who may come to a URL, as text for its NGINX file. Pure.

Asked before anything else, by a table of addresses: `allow` and `deny` would let whatever a server answers by itself,
such as the maintenance page, go out to everybody.
"""

import hashlib
import re

from appliance.model import serving
from appliance.model.urls import WILD
from appliance.nginx.values import SiteConf
from appliance.nginx.wildcard import Wildcard
from appliance.nginx.words import fixed, location, text, when

Conf = SiteConf | Wildcard
OUTSIDE, DEEPER = 474, 475  # which errors stand for a visitor from elsewhere, and for a name of too many parts


def table(conf: SiteConf) -> list[str]:
    """Which addresses are let in. What a proxy says of its visitor counts only where the proxy was named."""
    if not conf.front.allow:
        return []
    inside = ["default 0;", *(f"proxy {one};" for one in conf.proxies), *(["proxy_recursive;"] if conf.proxies else [])]
    inside += [f"{one} 1;" for one in conf.front.allow]
    return [f"geo {_variable(conf)} {{", *(f"    {line}" for line in inside), "}"]


def depth(conf: SiteConf) -> list[str]:
    """NGINX's wildcard takes in names of any depth; certificates and DNS give one part, and so do we."""
    if not conf.host.startswith(WILD):
        return []
    under = re.escape(conf.host.removeprefix(WILD))
    return [
        f"error_page {DEEPER} =404 @deeper;",
        *when(f"$host !~ {fixed(rf'(?s)^[^.]+[.]{under}(?!.)')}", [f"return {DEEPER};"]),
        *location("@deeper", _page(404, serving.NOT_FOUND)),
        "",
    ]


def gate(conf: SiteConf) -> list[str]:
    if not conf.front.allow:
        return []
    return [
        f"error_page {OUTSIDE} =403 @outside;",
        *when(f"{_variable(conf)} = 0", [f"return {OUTSIDE};"]),
        *location("@outside", _page(403, serving.OUTSIDE)),
        "",
    ]


def _page(status: int, html: str) -> list[str]:
    return [
        "auth_basic off;",
        "add_header Cache-Control no-store always;",
        "add_header X-Content-Type-Options nosniff always;",
        "types {",
        "}",
        'default_type "text/html; charset=utf-8";',
        f"return {status} {text(html)};",
    ]


def essence(conf: Conf) -> tuple[str, ...]:
    """The lines without which a file that was edited lets others in."""
    return (*table(conf), *gate(conf)[:2]) if isinstance(conf, SiteConf) else ()


def _variable(conf: SiteConf) -> str:
    """Named after what is in it: all files share their tables."""
    named = "\n".join(("proxies", *conf.proxies, "allow", *conf.front.allow))
    return f"$homeport_from_{hashlib.sha256(named.encode()).hexdigest()[:16]}"
