"""Many URLs in one reload: the good are in force, and each bad one fails with its own words."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import HomeportError
from appliance.nginx import force, together
from appliance.nginx.template import SiteConf
from appliance.settings import Settings
from tests.releases import make_release
from tests.servers import Nginx, tree_of

pytestmark = pytest.mark.nginx
HOSTS = [f"h{number}.example.com" for number in range(40)]


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path / "etc") as running:
        yield running


@pytest.fixture
def settings(nginx: Nginx, tmp_path: Path) -> Settings:
    (tmp_path / "data/sites").mkdir(parents=True)
    release = make_release(tmp_path / "data", {"index.html": "here"})
    (tmp_path / "data/sites/one").symlink_to(release.path)
    return nginx.settings(tmp_path / "data")


def put(settings: Settings, hosts: list[str]) -> dict[str, HomeportError]:
    listen = tuple(settings.nginx_listen.split())
    return together.put_each(
        settings, {host: SiteConf(host, settings.data / "sites/one", listen) for host in hosts}, lambda _: None
    )


def answering(nginx: Nginx, hosts: list[str]) -> list[str]:
    return [host for host in hosts if nginx.ask("/", host).body == b"here"]


def test_all_in_one_reload_and_out_again(nginx: Nginx, settings: Settings) -> None:
    assert put(settings, HOSTS) == {}
    assert answering(nginx, HOSTS) == HOSTS
    assert together.put_each(settings, dict.fromkeys(HOSTS), lambda _: None) == {}
    assert answering(nginx, HOSTS) == []
    assert nginx.reloads == 2


def test_the_bad_ones_fail_alone(nginx: Nginx, settings: Settings) -> None:
    nginx.site("a-shop", f"server {{ listen 127.0.0.1:{nginx.port}; server_name {HOSTS[7]}; return 200 shop; }}\n")
    (nginx.sites_available / f"homeport-{HOSTS[23]}.conf").write_text("# mine\n")
    refused = put(settings, HOSTS)
    assert {host: why.code for host, why in refused.items()} == {HOSTS[7]: "nginx_taken", HOSTS[23]: "nginx_file"}
    assert all(host in why.detail for host, why in refused.items())
    assert answering(nginx, HOSTS) == [host for host in HOSTS if host not in refused]
    assert nginx.reloads == 1


def test_those_that_do_not_answer_fail_alone(nginx: Nginx, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing shows beforehand that someone's script takes their names."""
    monkeypatch.setattr(force, "PATIENCE", 1.0)
    stolen = [HOSTS[3], HOSTS[30]]
    script = nginx.folder / "reload.sh"
    thief = f"server {{ listen 127.0.0.1:{nginx.port}; server_name {' '.join(stolen)}; return 200 stolen; }}"
    script.write_text(f"#!/bin/sh\necho '{thief}' > {nginx.conf_d}/thief.conf\nexec {' '.join(nginx.reload_command)}\n")
    script.chmod(0o755)
    refused = put(replace(settings, nginx_reload=(str(script),)), HOSTS)
    assert sorted(refused) == sorted(stolen)
    assert all(f"but {host} does not answer with its site" in why.detail for host, why in refused.items())
    assert answering(nginx, HOSTS) == [host for host in HOSTS if host not in stolen]
    assert nginx.reloads <= 4


def test_what_is_nobodys_fault_is_said_of_all(nginx: Nginx, settings: Settings) -> None:
    assert put(settings, HOSTS[:2]) == {}
    before = tree_of(settings.data)
    nginx.site("broken", "server { nonsense on; }\n")
    refused = put(settings, HOSTS)
    assert refused.keys() == set(HOSTS[2:]) | set(HOSTS[:2])
    assert {why.code for why in refused.values()} == {"nginx_foreign"}
    assert tree_of(settings.data) == before
    assert nginx.reloads == 1
