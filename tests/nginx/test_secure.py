"""HTTPS in a URL's NGINX file: there where it is wanted, no trace of it elsewhere."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import HostFailed
from appliance.model.certificates import Https
from appliance.model.rules import Guard
from appliance.nginx import helper, http2
from appliance.nginx.template import SiteConf, read, render
from appliance.settings import Settings

ROOT = Path("/var/lib/homeport/sites/blog/production")


def conf(**more: Any) -> SiteConf:
    return SiteConf("www.example.com", ROOT, ("80", "[::]:80"), **more)


def secure(https: Https | None = None, **more: Any) -> SiteConf:
    asked = {"listen_tls": ("443", "[::]:443"), "http2": "listen", **more}
    return conf(https=https or Https("abc"), **asked)


def test_without_it_the_file_has_nothing_of_it() -> None:
    text = render(conf())
    assert not any(word in text for word in ("ssl", "443", "https", "acme-challenge", "Strict-Transport"))
    assert text.count("server {") == 1


@pytest.mark.parametrize(
    ("guard", "https", "challenges"),
    list(
        product(
            (Guard(), Guard(maintenance="Back soon"), Guard("visitor", "{SHA}abcdefgh")),
            (None, Https("abc"), Https("abc", redirect=True, hsts=300)),
            (False, True),
        )
    ),
)
def test_what_is_written_is_read_back(guard: Guard, https: Https | None, challenges: bool) -> None:
    wanted = secure(https, guard=guard, challenges=challenges) if https else conf(guard=guard, challenges=challenges)
    text = render(wanted)
    assert read(text) == wanted
    assert text.count("acme-challenge/ {") == challenges * (2 if https and https.redirect else 1)
    assert text.count("{") == text.count("}")


def test_modern_tls_alone() -> None:
    text = render(secure())
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in text
    assert "listen 443 ssl http2;" in text and "listen 80;" in text
    ciphers = next(line for line in text.splitlines() if "ssl_ciphers" in line).split()[1].rstrip(";").split(":")
    assert all(one.startswith("ECDHE-") and ("GCM" in one or "CHACHA20" in one) for one in ciphers)
    assert f"ssl_certificate_key /var/lib/homeport/certificates/{'www.example.com'}/abc.key;" in text


def test_http2_in_the_form_that_is_understood() -> None:
    assert "http2 on;" in render(secure(http2="directive"))
    assert "http2" not in render(secure(http2="")).split("server {")[1]


def test_the_redirect_is_a_server_of_its_own_and_names_another_port() -> None:
    first, second = render(secure(Https("abc", redirect=True), listen_tls=("127.0.0.1:8443",))).split("server {")[1:]
    assert "return 301 https://$host:8443$request_uri;" in first and "listen 80;" in first
    assert "listen 80;" not in second


@pytest.mark.parametrize(
    "more",
    [
        {"https": Https("../abc")},
        {"https": Https("")},
        {"https": Https("abc; }")},
        {"https": Https("abc", hsts=-1)},
        {"https": Https("abc", hsts=True)},
        {"listen_tls": ()},
        {"listen_tls": ("443 default_server",)},
        {"http2": "on"},
        {"challenges": "yes"},
    ],
)
def test_no_value_adds_to_the_file(more: dict[str, Any]) -> None:
    with pytest.raises(HostFailed):
        secure(**more)


def test_the_root_helper_takes_it_where_root_allowed_the_port() -> None:
    allowed = helper.Rules.of(Settings(data=Path("/var/lib/homeport"), nginx_listen="80 [::]:80"), "homeport")
    wanted = secure(listen_tls=("443",))
    name, text = "www.example.com.conf", render(wanted).encode()
    assert helper.judge(allowed, name, text) == wanted
    for listen in ((), ("8443",)):
        rules = helper.Rules(**{**vars(allowed), "listen_tls": listen})
        with pytest.raises(helper.Refused, match="listens on 443"):
            helper.judge(rules, name, text)
    old = json.dumps({name: value for name, value in json.loads(allowed.text()).items() if name != "listen_tls"})
    assert helper.Rules.read(old, Path("/etc/rules")).listen_tls == ()


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ("nginx version: nginx/1.22.1\nconfigure arguments: --with-http_v2_module", "listen"),
        ("nginx version: nginx/1.25.0\nconfigure arguments: --with-http_v2_module", "listen"),
        ("nginx version: nginx/1.25.1\nconfigure arguments: --with-http_v2_module", "directive"),
        ("nginx version: nginx/1.28.0 (Ubuntu)\nconfigure arguments: --with-http_v2_module", "directive"),
        ("nginx version: nginx/1.22.1\nconfigure arguments:", ""),
        ("something else", "listen"),
    ],
)
def test_which_form_this_nginx_takes(tmp_path: Path, said: str, form: str) -> None:
    program = tmp_path / "nginx"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\n")
    program.chmod(0o755)
    assert http2.form(Settings(nginx_test=(str(program), "-t"))) == form
    assert http2.form(Settings(nginx_test=("sudo", str(program), "-t"))) == "listen"
