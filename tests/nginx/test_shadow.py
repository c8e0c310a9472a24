"""A change is tested on a copy, however the host's files lead to the enabled sites; the copy is all that is touched."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import HostFailed
from appliance.nginx import paths, shadow
from appliance.nginx.hands import Direct
from appliance.nginx.template import SiteConf, render
from appliance.settings import Settings
from tests.servers import Nginx, tree_of

HOST = "www.example.com"
pytestmark = pytest.mark.nginx


@pytest.fixture
def nginx(tmp_path: Path) -> Nginx:
    """Not started: a test of the configuration needs no running NGINX."""
    return Nginx(tmp_path / "etc")


@pytest.fixture
def settings(nginx: Nginx, tmp_path: Path) -> Iterator[Settings]:
    before = tree_of(nginx.folder)
    yield nginx.settings(tmp_path / "data")
    after = {name: text for name, text in tree_of(nginx.folder).items() if name not in ("error.log", "nginx.pid")}
    assert {name: text for name, text in after.items() if name in before and text != before[name]} == {}


def conf(settings: Settings, host: str = HOST) -> str:
    return render(SiteConf(host, settings.data / "sites/blog/production", tuple(settings.nginx_listen.split())))


def test_a_good_change_passes_and_nothing_is_touched(nginx: Nginx, settings: Settings) -> None:
    before = tree_of(nginx.folder)
    shadow.test(settings, {HOST: conf(settings)})
    after = tree_of(nginx.folder)
    assert {name for name in after if name not in before} <= {"error.log", "nginx.pid"}
    assert not settings.data.exists()


def test_the_copy_is_what_nginx_reads(settings: Settings) -> None:
    """A change that NGINX must refuse is refused: so it was read."""
    with pytest.raises(HostFailed) as why:
        shadow.test(settings, {HOST: conf(settings).replace("etag on;", "etag perhaps;")})
    assert "Homeport made" in why.value.detail
    assert f"homeport-{HOST}.conf:" in why.value.said


def test_someone_elses_broken_file_is_named_with_its_line(nginx: Nginx, settings: Settings) -> None:
    link = nginx.site("legacy-shop.conf", "server {\n    listen 127.0.0.1:1;\n    no_such_thing on;\n}\n")
    with pytest.raises(HostFailed) as why:
        shadow.test(settings, {HOST: conf(settings)})
    assert why.value.code == "nginx_foreign"
    assert f"{link}, line 3" in why.value.detail
    assert "NGINX tests all its files together" in why.value.detail
    assert f'unknown directive "no_such_thing" in {link}:3' in why.value.said
    assert "homeport-nginx-" not in why.value.said.replace(str(nginx.folder), "")
    assert why.value.todo[0] == f"Correct line 3 of {link}."


def test_a_broken_file_far_from_the_sites_is_named_too(nginx: Nginx, settings: Settings) -> None:
    (nginx.conf_d / "broken.conf").write_text("upstream x { server 127.0.0.1:1 }\n")
    with pytest.raises(HostFailed) as why:
        shadow.test(settings, {})
    assert f"{nginx.conf_d}/broken.conf" in why.value.detail


def test_a_name_that_nginx_would_pass_over_is_refused(nginx: Nginx, settings: Settings) -> None:
    nginx.site("other", f"server {{ listen 127.0.0.1:{nginx.port}; server_name {HOST}; }}\n")
    with pytest.raises(HostFailed) as why:
        shadow.test(settings, {HOST: conf(settings)})
    assert why.value.code == "nginx_taken"
    assert HOST in why.value.detail


def test_names_that_others_have_twice_are_their_own_matter(nginx: Nginx, settings: Settings) -> None:
    for name in ("one", "two"):
        nginx.site(name, f"server {{ listen 127.0.0.1:{nginx.port}; server_name twice.example; }}\n")
    shadow.test(settings, {HOST: conf(settings)})


def test_taking_away_is_tested_as_well(nginx: Nginx, settings: Settings) -> None:
    name = f"homeport-{HOST}.conf"
    nginx.site(name, conf(settings))
    nginx.site("other", f"server {{ listen 127.0.0.1:{nginx.port}; server_name {HOST}; }}\n")
    shadow.test(settings, {HOST: None})


def test_a_name_too_long_for_nginx_says_what_to_set(nginx: Nginx, settings: Settings) -> None:
    nginx.conf.write_text(nginx.conf.read_text().replace("gzip on;", "server_names_hash_bucket_size 32;"))
    host = "a-rather-long-label-for-a-host.and-another-one-of-them.example.com"
    with pytest.raises(HostFailed) as why:
        shadow.test(settings, {host: conf(settings, host)})
    assert why.value.code == "nginx_hash"
    assert "server_names_hash_bucket_size 128;" in why.value.todo[0]
    nginx.conf.write_text(nginx.conf.read_text().replace("server_names_hash_bucket_size 32;", "gzip on;"))


def standing(settings: Settings, *hosts: str) -> None:
    """In force, as far as files and links go."""
    settings.data.mkdir()
    Direct(replace(settings, nginx_reload=("true",))).apply({host: conf(settings, host) for host in hosts})


def test_of_those_that_stay_the_names_count(nginx: Nginx, settings: Settings) -> None:
    """One file stands in for them; a name that is theirs is still found to be."""
    standing(settings, *(f"h{n}.example.com" for n in range(30)))
    shadow.test(settings, {HOST: conf(settings)})
    other = nginx.site("a-shop", f"server {{ listen 127.0.0.1:{nginx.port}; server_name h7.example.com; }}\n")
    with pytest.raises(HostFailed, match=r"has the name h7\.example\.com"):
        shadow.test(settings, {HOST: conf(settings)})
    shadow.test(settings, {HOST: conf(settings), "h7.example.com": None})
    other.unlink()


@pytest.mark.parametrize("changing", [True, False])
def test_one_that_was_edited_is_tested_as_it_is(nginx: Nginx, settings: Settings, changing: bool) -> None:
    edited = "edited.example.com"
    standing(settings, edited)
    changes = {HOST: conf(settings)} if changing else {}
    shadow.test(settings, changes)
    paths.file_of(settings, edited).write_text(conf(settings, edited).replace("etag on;", "etag perhaps;"))
    with pytest.raises(HostFailed) as why:
        shadow.test(settings, changes)
    assert f"homeport-{edited}.conf:" in why.value.said


INCLUDES = {
    "absolute": "include {enabled}/*;",
    "relative": "include sites-enabled/*;",
    "quoted": 'include "{enabled}/*";',
    "only .conf": "include sites-enabled/*.conf;",
    "by another file, in conf.d": "include conf.d/*.sites;",
    "by another file, absolute": "include {folder}/more/http.part;",
    "through two files": "include more/first.part;",
}


@pytest.mark.parametrize("include", INCLUDES.values(), ids=INCLUDES)
def test_however_the_sites_are_included(nginx: Nginx, tmp_path: Path, include: str) -> None:
    more = nginx.folder / "more"
    more.mkdir()
    enabled = nginx.sites_enabled
    (nginx.conf_d / "all.sites").write_text(f"include {enabled}/*;\n")
    (more / "http.part").write_text("include sites-enabled/*;\n")
    (more / "first.part").write_text(f"include {more}/*.second;\n")
    (more / "x.second").write_text(f"include    {enabled}/*.conf  ;\n")
    line = include.format(enabled=enabled, folder=nginx.folder)
    nginx.conf.write_text(nginx.conf.read_text().replace(f"include {enabled}/*;", line))
    nginx.site("foreign.conf", "server { listen 127.0.0.1:1; include snippets/part.conf; }\n")
    (nginx.folder / "snippets").mkdir()
    (nginx.folder / "snippets/part.conf").write_text("server_name part.example;\n")
    settings = nginx.settings(tmp_path / "data")
    assert shadow.reads_our_links(settings)
    shadow.test(settings, {HOST: conf(settings)})
    with pytest.raises(HostFailed, match="Homeport made"):
        shadow.test(settings, {HOST: conf(settings).replace("etag on;", "etag perhaps;")})


def test_sites_somewhere_else_altogether(nginx: Nginx, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere/enabled"
    elsewhere.parent.mkdir()
    nginx.sites_enabled.rename(elsewhere)
    nginx.sites_enabled.symlink_to(elsewhere)
    (elsewhere / "default").unlink()
    for given in (nginx.sites_enabled, elsewhere):
        settings = nginx.settings(tmp_path / "data", nginx_sites_enabled=given)
        shadow.test(settings, {HOST: conf(settings)})
        with pytest.raises(HostFailed, match="Homeport made"):
            shadow.test(settings, {HOST: "nonsense on;\n"})


def test_a_main_file_that_does_not_read_the_sites(nginx: Nginx, tmp_path: Path) -> None:
    nginx.conf.write_text(nginx.conf.read_text().replace(f"include {nginx.sites_enabled}/*;", ""))
    settings = nginx.settings(tmp_path / "data")
    assert not shadow.reads_our_links(settings)
    with pytest.raises(HostFailed) as why:
        shadow.test(settings, {HOST: conf(settings)})
    assert f"include {nginx.sites_enabled}/*;" in why.value.todo[0]


def test_a_pattern_that_leaves_our_links_out(nginx: Nginx, tmp_path: Path) -> None:
    nginx.conf.write_text(nginx.conf.read_text().replace("sites-enabled/*;", "sites-enabled/*.vhost;"))
    assert not shadow.reads_our_links(nginx.settings(tmp_path / "data"))


def test_no_main_file(nginx: Nginx, tmp_path: Path) -> None:
    settings = nginx.settings(tmp_path / "data", nginx_conf=tmp_path / "none/nginx.conf")
    with pytest.raises(HostFailed, match="is not there"):
        shadow.test(settings, {})
