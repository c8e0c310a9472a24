"""URLs put in force on a real NGINX: all of a change or nothing of it, and never a byte of anyone else's."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import Conflict, HostFailed
from appliance.machine import files
from appliance.nginx import force, paths
from appliance.nginx.hands import Direct, Texts
from appliance.nginx.template import SiteConf, render
from appliance.settings import Settings
from tests.releases import make_release
from tests.servers import Nginx, tree_of

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


def put(settings: Settings, *hosts: str) -> bool:
    return force.put(settings, {host: conf(settings, host) for host in hosts}, print)


def body(nginx: Nginx, host: str) -> str:
    return nginx.ask("/", host).body.decode()


def with_reload(nginx: Nginx, settings: Settings, script: str) -> Settings:
    """Settings with a reload command that does something more, or less."""
    file = nginx.folder / "reload.sh"
    file.write_text(f"#!/bin/sh\n{script.format(reload=' '.join(nginx.reload_command), **vars(nginx))}\n")
    file.chmod(0o755)
    return replace(settings, nginx_reload=(str(file),))


def test_a_url_in_force_and_out_of_it(nginx: Nginx, settings: Settings) -> None:
    assert put(settings, ONE)
    assert body(nginx, ONE) == f"I am {ONE}"
    file = settings.data / f"nginx/{ONE}.conf"
    assert file.read_text() == render(conf(settings, ONE))
    for folder in (nginx.sites_available, nginx.sites_enabled):
        assert os.readlink(folder / f"homeport-{ONE}.conf") == str(file)
    assert force.in_force(settings) == {ONE: conf(settings, ONE)}
    assert force.put(settings, {ONE: None}, print)
    assert body(nginx, ONE) == "the default site\n"
    assert force.in_force(settings) == {}
    assert not file.exists()


def test_no_change_is_no_reload(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE, TWO)
    reloads = nginx.reloads
    assert not put(settings, ONE, TWO)
    assert not put(settings)
    assert not force.put(settings, {"never.example.com": None}, print)
    assert not force.reconcile(settings, {host: conf(settings, host) for host in (ONE, TWO)}, print)
    assert nginx.reloads == reloads == 1


def test_many_changes_are_one_reload(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE)
    three = replace(conf(settings, TWO), host="three.example.com")
    assert force.put(settings, {ONE: None, TWO: conf(settings, TWO), three.host: three}, print)
    assert nginx.reloads == 2
    assert body(nginx, "three.example.com") == body(nginx, TWO) == f"I am {TWO}"


def test_a_url_moves_to_another_site(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE)
    assert force.put(settings, {ONE: replace(conf(settings, TWO), host=ONE)}, print)
    assert body(nginx, ONE) == f"I am {TWO}"


def test_files_of_others_stay_byte_for_byte(nginx: Nginx, settings: Settings) -> None:
    nginx.site("shop.conf", "server { listen 127.0.0.1:1; server_name shop.example; }\n")
    (nginx.sites_enabled / "homeport-notes.txt").write_text("# mine\n")
    (nginx.sites_available / "homeport-old.example.com.conf").write_text("# mine\n")
    before = _everything(nginx)
    put(settings, ONE)
    put(settings, TWO)
    with pytest.raises(HostFailed):
        force.put(with_reload(nginx, settings, "exit 1"), {ONE: None}, print)
    (nginx.folder / "reload.sh").unlink()
    force.reconcile(settings, {}, print)
    assert _everything(nginx) == before


def _everything(nginx: Nginx) -> dict[str, bytes | str]:
    passing = ("error.log", "nginx.pid")
    return {name: text for name, text in tree_of(nginx.folder).items() if name not in passing}


def test_what_nginx_refuses_touches_nothing(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE)
    nginx.site("legacy-shop.conf", "server {\n    nonsense on;\n}\n")
    before = _everything(nginx), tree_of(settings.data)
    with pytest.raises(HostFailed, match=r"legacy-shop\.conf, line 2"):
        put(settings, TWO)
    assert (_everything(nginx), tree_of(settings.data)) == before
    assert nginx.reloads == 1
    assert body(nginx, ONE) == f"I am {ONE}"


@pytest.mark.parametrize("host", [ONE, TWO])
def test_a_name_that_someone_took_meanwhile(nginx: Nginx, settings: Settings, host: str) -> None:
    """Also that of a URL in force already: reading the files again would lose it."""
    put(settings, ONE)
    nginx.site("a-shop", f"server {{ listen 127.0.0.1:{nginx.port}; server_name {host}; return 200 shop; }}\n")
    with pytest.raises(HostFailed, match=f"Another file on this host has the name {host}"):
        put(settings, TWO)
    assert nginx.reloads == 1
    assert body(nginx, ONE) == f"I am {ONE}"


@pytest.mark.parametrize("place", ["sites-available", "sites-enabled"])
def test_a_file_in_the_way_is_left_alone(nginx: Nginx, settings: Settings, place: str) -> None:
    spot = nginx.folder / place / f"homeport-{ONE}.conf"
    spot.write_text("# mine\n")
    before = _everything(nginx)
    for changes in ({ONE: conf(settings, ONE)}, {ONE: conf(settings, ONE), TWO: conf(settings, TWO)}):
        with pytest.raises(Conflict, match="Homeport did not make it"):
            force.put(settings, changes, print)
    assert not force.put(settings, {ONE: None}, print)
    assert _everything(nginx) == before


def test_a_reload_that_fails_is_taken_back(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE)
    before = _everything(nginx), tree_of(settings.data)
    failing = with_reload(nginx, settings, "echo no such process; exit 1")
    with pytest.raises(HostFailed) as why:
        put(failing, TWO)
    assert why.value.code == "nginx_reload"
    assert why.value.said == "no such process"
    (nginx.folder / "reload.sh").unlink()
    files_now, data_now = _everything(nginx), tree_of(settings.data)
    assert files_now == before[0]
    assert set(data_now) - set(before[1]) == {"nginx.unread"}  # whether NGINX read them is not known
    assert force.reconcile(settings, {ONE: conf(settings, ONE)}, print)
    assert nginx.reloads == 2
    assert not (settings.data / "nginx.unread").exists()


def test_a_reload_that_fails_once_is_taken_back_whole(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE)
    before = tree_of(settings.data)
    once = with_reload(nginx, settings, "test -e {folder}/tried && exec {reload}\ntouch {folder}/tried; exit 1")
    with pytest.raises(HostFailed, match=f"The change was taken back: {TWO}"):
        put(once, TWO)
    assert tree_of(settings.data) == before
    assert body(nginx, ONE) == f"I am {ONE}"


def test_a_reload_that_lies_is_found_out(nginx: Nginx, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(force, "PATIENCE", 0.3)
    put(settings, ONE)
    before = _everything(nginx), tree_of(settings.data)
    with pytest.raises(HostFailed) as why:
        put(with_reload(nginx, settings, "exit 0"), TWO)
    assert why.value.code == "nginx_red"
    assert f"NGINX took the change, but {TWO} does not answer with its site" in why.value.detail
    assert f"The change was taken back: {TWO}." in why.value.detail
    (nginx.folder / "reload.sh").unlink()
    assert (_everything(nginx), tree_of(settings.data)) == before


def test_a_green_url_that_goes_red_takes_the_change_back(
    nginx: Nginx, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone's script puts a file in front of ours whenever the second URL is there."""
    monkeypatch.setattr(force, "PATIENCE", 1.0)
    put(settings, ONE)
    before = _everything(nginx), tree_of(settings.data)
    thief = f"server {{{{ listen 127.0.0.1:{nginx.port}; server_name {ONE}; return 200 stolen; }}}}"
    script = f"""
        if test -e {{sites_enabled}}/homeport-{TWO}.conf
        then echo '{thief}' > {{conf_d}}/thief.conf
        else rm -f {{conf_d}}/thief.conf
        fi
        exec {{reload}}"""
    with pytest.raises(HostFailed) as why:
        put(with_reload(nginx, settings, script), TWO)
    assert f"With the change {ONE} no longer answered as before" in why.value.detail
    assert f"The change was taken back: {TWO}." in why.value.detail
    (nginx.folder / "reload.sh").unlink()
    assert (_everything(nginx), tree_of(settings.data)) == before
    assert body(nginx, ONE) == f"I am {ONE}"
    assert body(nginx, TWO) == "the default site\n"


def test_a_url_that_was_red_before_stops_nothing(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE)
    nginx.site("a-shop", f"server {{ listen 127.0.0.1:{nginx.port}; server_name {ONE}; return 200 shop; }}\n")
    nginx.reload()
    assert body(nginx, ONE) == "shop"
    (nginx.sites_enabled / "a-shop").unlink()
    put(settings, TWO)
    assert body(nginx, TWO) == f"I am {TWO}"


class Stumbling(Direct):
    """Does half of the first change that it is given."""

    stumbled = False

    def apply(self, changes: Texts) -> bool:
        if self.stumbled:
            return super().apply(changes)
        self.stumbled = True
        super().apply(dict(list(changes.items())[:1]))
        raise HostFailed("The disk is full.")


def test_half_a_change_is_taken_back(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE)
    before = _everything(nginx), tree_of(settings.data)
    changes = {ONE: replace(conf(settings, TWO), host=ONE), TWO: conf(settings, TWO)}
    with pytest.raises(HostFailed, match=f"The disk is full. The change was taken back: {ONE}, {TWO}."):
        force.put(settings, changes, print, Stumbling(settings))
    assert (_everything(nginx), tree_of(settings.data)) == before
    assert body(nginx, ONE) == f"I am {ONE}"


def test_a_start_after_a_stop_in_the_middle(nginx: Nginx, settings: Settings) -> None:
    wanted = {ONE: conf(settings, ONE)}
    put(settings, ONE, TWO)
    (nginx.sites_enabled / f"homeport-{ONE}.conf").unlink()
    paths.file_of(settings, TWO).unlink()
    stray = settings.data / "nginx/stray.example.com.conf"
    files.write_whole(stray, render(replace(conf(settings, TWO), host="stray.example.com")))
    assert force.reconcile(settings, wanted, print)
    assert force.in_force(settings) == wanted
    assert sorted(tree_of(nginx.sites_enabled)) == ["default", f"homeport-{ONE}.conf"]
    assert sorted(tree_of(nginx.sites_available)) == ["default", f"homeport-{ONE}.conf"]
    assert sorted(tree_of(settings.data / "nginx")) == [f"{ONE}.conf"]
    assert body(nginx, ONE) == f"I am {ONE}"
    assert body(nginx, TWO) == "the default site\n"


def test_a_stop_between_the_files_and_the_reload(nginx: Nginx, settings: Settings) -> None:
    put(settings, ONE)
    (settings.data / "nginx.unread").write_text(TWO)
    Direct(replace(settings, nginx_reload=("true",))).apply({TWO: render(conf(settings, TWO))})
    assert body(nginx, TWO) == "the default site\n"
    assert force.reconcile(settings, {host: conf(settings, host) for host in (ONE, TWO)}, print)
    assert body(nginx, TWO) == f"I am {TWO}"
    assert not force.reconcile(settings, {host: conf(settings, host) for host in (ONE, TWO)}, print)


def test_many_at_once_take_turns(nginx: Nginx, settings: Settings) -> None:
    hosts = [f"h{number}.example.com" for number in range(6)]
    failed: list[BaseException] = []

    def attach(host: str) -> None:
        try:
            force.put(settings, {host: replace(conf(settings, ONE), host=host)}, lambda _: None)
        except HostFailed as why:
            failed.append(why)

    threads = [threading.Thread(target=attach, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(force.in_force(settings)) == hosts
    assert [body(nginx, host) for host in hosts] == [f"I am {ONE}"] * 6


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("80", ("127.0.0.1", 80)),
        ("0.0.0.0:8080", ("127.0.0.1", 8080)),
        ("192.0.2.10:80", ("192.0.2.10", 80)),
        ("[::]:80", ("::1", 80)),
        ("[2001:db8::1]:81", ("2001:db8::1", 81)),
    ],
)
def test_where_to_knock(listen: str, address: tuple[str, int]) -> None:
    assert force.probe_address(listen) == address
