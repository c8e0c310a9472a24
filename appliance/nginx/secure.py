"""HTTPS of one URL as NGINX's own directives, and what an ACME server asks for on the way there. Pure."""

from appliance.nginx.values import SiteConf

PROTOCOLS = "TLSv1.2 TLSv1.3"
CIPHERS = ":".join(
    f"{exchange}-{rest}"
    for rest in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for exchange in ("ECDHE-ECDSA", "ECDHE-RSA")
)
ASKED = "/.well-known/acme-challenge/"


def listening(conf: SiteConf) -> list[str]:
    """Where its server listens, and with what. Everything else in the file is the same with HTTPS or without."""
    plain = [] if conf.https and conf.https.redirect else _plain(conf)
    return [*plain, *_secure(conf), *_asked(conf)]


def before(conf: SiteConf) -> list[str]:
    """A server of its own that leads from HTTP to HTTPS."""
    if not (conf.https and conf.https.redirect):
        return []
    port = conf.listen_tls[0].rpartition(":")[2]
    there = f"https://$host{'' if port == '443' else f':{port}'}$request_uri"
    inside = [
        *_plain(conf),
        f"server_name {conf.server_name};",
        "server_tokens off;",
        *_asked(conf),
        "location / {",
        f"    return 301 {there};",
        "}",
    ]
    return ["", "server {", *(f"    {line}" for line in inside), "}"]


def _plain(conf: SiteConf) -> list[str]:
    return [f"listen {it};" for it in conf.listen]


def _secure(conf: SiteConf) -> list[str]:
    if conf.https is None:
        return []
    quick = " http2" if conf.http2 == "listen" else ""
    hsts = conf.https.hsts
    return [
        *(f"listen {it} ssl{quick};" for it in conf.listen_tls),
        *(["http2 on;"] if conf.http2 == "directive" else []),
        f"ssl_certificate {conf.certificate};",
        f"ssl_certificate_key {conf.key};",
        f"ssl_protocols {PROTOCOLS};",
        f"ssl_ciphers {CIPHERS};",
        "ssl_prefer_server_ciphers off;",
        "ssl_session_cache shared:homeport:10m;",
        "ssl_session_timeout 1d;",
        "ssl_session_tickets off;",
        *([f'add_header Strict-Transport-Security "max-age={hsts}" always;'] if hsts else []),
    ]


def _asked(conf: SiteConf) -> list[str]:
    """Whatever stands before the site stands not before this."""
    if not conf.challenges:
        return []
    return [
        f'rewrite "^{ASKED.replace(".", chr(92) + ".")}[A-Za-z0-9_-]+$" $uri last;',
        f"location ^~ {ASKED} {{",
        f"    alias {conf.asked}/;",
        "    allow all;",
        "    auth_basic off;",
        "    default_type text/plain;",
        "    add_header Cache-Control no-store always;",
        "}",
    ]
