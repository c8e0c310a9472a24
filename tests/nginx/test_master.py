"""NGINX's main process, told without the command that reads every file first."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import HostFailed
from appliance.nginx import force, hands, master
from appliance.nginx.hands import Direct
from appliance.nginx.template import SiteConf, render
from appliance.settings import Settings
from tests.releases import make_release
from tests.servers import Nginx

ONE, TWO = "one.example.com", "two.example.com"
pytestmark = pytest.mark.nginx


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path / "etc") as running:
        yield running


@pytest.fixture
def settings(nginx: Nginx, tmp_path: Path) -> Settings:
    (tmp_path / "data/sites").mkdir(parents=True)
    for host in (ONE, TWO):
        release = make_release(tmp_path / "data", {"index.html": f"I am {host}"})
        (tmp_path / "data/sites" / host).symlink_to(release.path)
    return nginx.settings(tmp_path / "data")


def conf(settings: Settings, host: str) -> SiteConf:
    return SiteConf(host, settings.data / "sites" / host, tuple(settings.nginx_listen.split()))


def test_when_it_is_said_that_files_are_read_nothing_answers_by_the_old_ones(nginx: Nginx, settings: Settings) -> None:
    for number in range(3):
        host = f"h{number}.example.com"
        assert Direct(settings).apply({host: render(replace(conf(settings, ONE), host=host))})
        assert {nginx.ask("/", host).body for _ in range(20)} == {f"I am {ONE}".encode()}
    assert nginx.reloads == 3


def test_the_process_is_found_where_the_command_would_find_it(nginx: Nginx, settings: Settings) -> None:
    assert master.find(settings) == master.Master(nginx.pid or 0)


@pytest.mark.parametrize(
    "command",
    [
        "systemctl reload nginx",
        "{program} -s reload",  # of the host's own main file
        "{program} -c {conf} -s quit",
        "{program} -c {conf} -g x -s reload",
        "{program} -c {conf} -s",
        "{folder}/nginx -c {conf} -s reload",
    ],
)
def test_a_command_that_may_do_something_else_is_run(nginx: Nginx, settings: Settings, command: str) -> None:
    wrapper = nginx.folder / "nginx"
    wrapper.write_text("#!/bin/sh\n")
    wrapper.chmod(0o755)
    words = command.format(program=nginx.command[0], conf=nginx.conf, folder=nginx.folder).split()
    assert master.find(replace(settings, nginx_reload=tuple(words))) is None


@pytest.mark.parametrize("pid", ["", "x", "0", "-1", "own", "9" * 30])
def test_a_file_that_names_another_process_is_not_believed(nginx: Nginx, settings: Settings, pid: str) -> None:
    file = nginx.folder / "nginx.pid"
    real = file.read_text()
    file.write_text(pid.replace("own", str(os.getpid())))
    try:
        assert master.find(settings) is None
    finally:
        file.write_text(real)


def test_what_only_the_whole_shows_is_said_in_the_words_of_nginx(
    nginx: Nginx, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module was taken away since a file of ours was tested."""
    monkeypatch.setattr(hands, "READING", 0.2)
    without = render(replace(conf(settings, ONE), modules=("brotli",)))
    Direct(replace(settings, nginx_reload=("true",))).apply({ONE: without})
    with pytest.raises(HostFailed, match=r'unknown directive "brotli_static"'):
        force.put(settings, {TWO: conf(settings, TWO)}, print)
    assert nginx.ask("/", TWO).body == b"the default site\n"
    assert not (settings.data / f"nginx/{TWO}.conf").exists()
