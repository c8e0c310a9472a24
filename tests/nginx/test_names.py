"""Who else has a host name, or a file in the place of ours."""

import socket
from pathlib import Path

import pytest

from appliance.nginx import names, paths
from appliance.nginx.template import SiteConf, render
from appliance.settings import Settings
from tests.servers import Nginx

HOST = "www.example.com"


@pytest.fixture
def nginx(tmp_path: Path) -> Nginx:
    return Nginx(tmp_path / "etc")


@pytest.fixture
def settings(nginx: Nginx, tmp_path: Path) -> Settings:
    (tmp_path / "data/nginx").mkdir(parents=True)
    return nginx.settings(tmp_path / "data")


def test_a_free_name(settings: Settings) -> None:
    assert names.taken(settings, HOST) is None


@pytest.mark.parametrize(
    "said",
    [
        "server_name www.example.com;",
        "server_name other.example\n        WWW.Example.COM;",
        'server_name "www.example.com";',
        "server_name .www.example.com;",
        "server_name www.example.com.;",
    ],
)
def test_a_name_that_another_file_has(nginx: Nginx, settings: Settings, said: str) -> None:
    link = nginx.site("shop.conf", f"server {{\n    listen 127.0.0.1:443 ssl;\n    {said}\n}}\n")
    assert names.taken(settings, HOST) == f"{link} line 3 has the server_name {HOST} already."


@pytest.mark.parametrize(
    "said", ["*.example.com", "~^www\\.example\\.com$", "example.com", "www.example.com.other", "_"]
)
def test_names_that_leave_ours_free(nginx: Nginx, settings: Settings, said: str) -> None:
    nginx.site("shop.conf", f"server {{ server_name {said}; }}\n")
    assert names.taken(settings, HOST) is None


def test_a_name_in_an_included_file(nginx: Nginx, settings: Settings) -> None:
    (nginx.folder / "snippets").mkdir()
    part = nginx.folder / "snippets/name.conf"
    part.write_text(f"# one\nserver_name {HOST};\n")
    nginx.site("shop.conf", "server { include snippets/name.conf; }\n")
    assert names.taken(settings, HOST) == f"{part} line 2 has the server_name {HOST} already."


def test_a_name_in_the_main_file(nginx: Nginx, settings: Settings) -> None:
    nginx.conf.write_text(nginx.conf.read_text().replace("gzip on;", f"server {{ server_name {HOST}; }}"))
    assert str(nginx.conf) in str(names.taken(settings, HOST))


def test_the_hosts_own_name(nginx: Nginx, settings: Settings) -> None:
    nginx.site("own", "server { server_name $hostname; }\n")
    assert names.taken(settings, socket.gethostname().lower()) is not None


def test_a_file_after_a_broken_one_still_counts(nginx: Nginx, settings: Settings) -> None:
    nginx.site("a-broken", "server { listen }}}\n")
    nginx.site("b-shop", f"server {{ server_name {HOST}; }}\n")
    assert "b-shop" in str(names.taken(settings, HOST))


def test_what_is_ours_is_not_in_our_way(nginx: Nginx, settings: Settings) -> None:
    file = paths.file_of(settings, HOST)
    file.write_text(render(SiteConf(HOST, settings.data / "sites/a/b", ("80",))))
    for link in paths.links_of(settings, HOST):
        link.symlink_to(file)
    assert names.taken(settings, HOST) is None


def test_another_homeport_is_someone_else(nginx: Nginx, settings: Settings, tmp_path: Path) -> None:
    other = nginx.settings(tmp_path / "other")
    file = paths.file_of(other, HOST)
    file.parent.mkdir(parents=True)
    file.write_text(render(SiteConf(HOST, other.data / "sites/a/b", ("80",))))
    link = nginx.sites_enabled / "homeport-elsewhere.conf"
    link.symlink_to(file)
    assert str(link) in str(names.taken(settings, HOST))


@pytest.mark.parametrize("place", ["sites-available", "sites-enabled"])
@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_a_file_where_ours_would_be(nginx: Nginx, settings: Settings, place: str, kind: str, tmp_path: Path) -> None:
    spot = nginx.folder / place / f"homeport-{HOST}.conf"
    if kind == "file":
        spot.write_text("# mine\n")
    else:
        spot.symlink_to(tmp_path / ("nowhere" if kind == "dangling" else "data"))
    assert str(names.taken(settings, HOST)).startswith(f"{spot} is there already")


def test_a_file_without_our_mark_in_our_folder(settings: Settings) -> None:
    paths.file_of(settings, HOST).write_text("server {}\n")
    assert "Homeport did not make it" in str(names.taken(settings, HOST))


def test_a_host_without_nginx(tmp_path: Path) -> None:
    gone = tmp_path / "none"
    settings = Settings(data=tmp_path, nginx_conf=gone, nginx_sites_available=gone, nginx_sites_enabled=gone)
    assert names.taken(settings, HOST) is None
