"""Settings are read once, from flags, then the environment; what can't be read stops the start with its name."""

from pathlib import Path

import pytest

from appliance.errors import StartFailed
from appliance.settings import ABOUT, SAVED, SECRETS, Settings


def test_flags_come_before_the_environment_and_that_before_defaults() -> None:
    found = Settings.load({"port": 1, "host": None}, {"HOMEPORT_PORT": "2", "HOMEPORT_HOST": "0.0.0.0"})
    assert (found.port, found.host, found.backend) == (1, "0.0.0.0", "auto")


def test_what_was_saved_comes_before_all() -> None:
    found = Settings.load({"url": "http://a.example.com"}, {}).with_saved({"url": "http://b.example.com", "gone": "x"})
    assert found.url == "http://b.example.com"


GOOD = {
    "HOMEPORT_UPLOAD_MAX": ("512k", "upload_max", 512 * 1024),
    "HOMEPORT_BUNDLE_MAX_SIZE": ("1G", "bundle_max_size", 1 << 30),
    "HOMEPORT_NGINX_TEST": ("sudo -n 'my nginx' -t", "nginx_test", ("sudo", "-n", "my nginx", "-t")),
    "HOMEPORT_CLOUDFLARE_PROXIED": ("Yes", "cloudflare_proxied", True),
    "HOMEPORT_NGINX_HELPER": ("", "nginx_helper", None),
    "HOMEPORT_URL": (" https://deploy.example.net:8443/ ", "url", "https://deploy.example.net:8443/"),
}


@pytest.mark.parametrize("env", GOOD)
def test_text_is_read(env: str) -> None:
    text, name, value = GOOD[env]
    assert getattr(Settings.load({}, {env: text}), name) == value


BAD = {
    "HOMEPORT_PORT": "http",
    "HOMEPORT_UPLOAD_MAX": "0",
    "HOMEPORT_BUNDLE_MAX_SIZE": "much",
    "HOMEPORT_BACKEND": "mainframe",
    "HOMEPORT_BUNDLE_NAMES": "all",
    "HOMEPORT_CLOUDFLARE_PROXIED": "perhaps",
    "HOMEPORT_NGINX_RELOAD": "  ",
    "HOMEPORT_NGINX_TEST": "nginx 't",
    "HOMEPORT_WORKERS": "-1",
    "HOMEPORT_URL": "deploy.example.net",
}


@pytest.mark.parametrize("env", BAD)
def test_what_can_not_be_read_is_named(env: str) -> None:
    with pytest.raises(StartFailed) as why:
        Settings.load({}, {env: BAD[env]})
    assert why.value.detail.startswith(f"{env} is {BAD[env]!r}, which can't be used: ")


def test_a_flag_is_read_like_the_rest() -> None:
    with pytest.raises(StartFailed):
        Settings.load({"url": "deploy.example.net"}, {})
    assert Settings.load({"data": "here"}, {}).data == Path("here").absolute()


def test_secrets_can_be_saved_and_every_setting_has_its_own_variable() -> None:
    assert set(SECRETS) <= SAVED
    assert len({about.env for about in ABOUT.values()}) == len(ABOUT)
    assert all(about.env == f"HOMEPORT_{name.upper()}" for name, about in ABOUT.items())
