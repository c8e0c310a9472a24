"""What only the backend `nginx` has: files of its own on the host, other people's beside them, and swaps under load."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.access import passwords
from appliance.backends.nginx import Nginx as Backend
from appliance.errors import HostFailed
from appliance.machine.process import Ran, run
from appliance.model.rules import Guard, HeaderRule, Rules
from appliance.model.sites import Release, Site
from appliance.nginx import force
from tests.releases import make_release, make_site
from tests.servers import Nginx, tree_of

ONE, TWO = "one.example.com", "two.example.com"
pytestmark = pytest.mark.nginx


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path / "etc") as running:
        yield running


@pytest.fixture
def backend(nginx: Nginx, tmp_path: Path) -> Backend:
    (tmp_path / "data").mkdir()
    return Backend(nginx.settings(tmp_path / "data"))


@pytest.fixture
def site(backend: Backend) -> Site:
    return make_site(backend.settings.data, ONE)


def publish(backend: Backend, site: Site, text: str) -> None:
    backend.publish(site, make_release(backend.settings.data, {"index.html": text}), print)


def test_a_deploy_to_a_live_site_reloads_nothing(nginx: Nginx, backend: Backend, site: Site) -> None:
    publish(backend, site, "first")
    reloads, workers = nginx.reloads, nginx.workers
    for number in range(5):
        publish(backend, site, f"number {number}")
        assert nginx.ask("/", ONE).body == f"number {number}".encode()
    assert (nginx.reloads, nginx.workers) == (reloads, workers)


def test_a_new_url_comes_with_the_next_deploy(nginx: Nginx, backend: Backend, site: Site) -> None:
    publish(backend, site, "first")
    publish(backend, replace(site, hosts=(ONE, TWO)), "second")
    assert nginx.ask("/", ONE).body == nginx.ask("/", TWO).body == b"second"
    assert nginx.reloads == 2


def test_a_new_url_that_nginx_refuses_changes_nothing(nginx: Nginx, backend: Backend, site: Site) -> None:
    publish(backend, site, "first")
    nginx.site("legacy-shop.conf", 'upstream legacy {\n    server "legacy-app.example.invalid";\n}\n')
    before = tree_of(backend.settings.data / "sites"), tree_of(nginx.sites_enabled), tree_of(nginx.sites_available)
    with pytest.raises(HostFailed) as why:
        publish(backend, replace(site, hosts=(ONE, TWO)), "second")
    assert "legacy-shop.conf, line 2" in why.value.detail
    assert 'host not found in upstream "legacy-app.example.invalid"' in why.value.said
    after = tree_of(backend.settings.data / "sites"), tree_of(nginx.sites_enabled), tree_of(nginx.sites_available)
    assert after == before
    publish(backend, site, "a deploy without a new URL does not ask NGINX")
    assert nginx.ask("/", ONE).body == b"a deploy without a new URL does not ask NGINX"


def test_unpublishing_the_first_takes_its_urls_out(nginx: Nginx, backend: Backend, site: Site) -> None:
    publish(backend, site, "first")
    backend.unpublish(site, None, print)
    assert force.in_force(backend.settings) == {}
    assert nginx.ask("/", ONE).body == b"the default site\n"


def test_withdrawing_takes_out_urls_that_were_forgotten(nginx: Nginx, backend: Backend, site: Site) -> None:
    publish(backend, replace(site, hosts=(ONE, TWO)), "first")
    other = make_site(backend.settings.data, "other.example.com", project="shop")
    publish(backend, other, "other")
    backend.withdraw(site, print)
    assert list(force.in_force(backend.settings)) == ["other.example.com"]
    assert nginx.ask("/", TWO).body == b"the default site\n"
    assert nginx.ask("/", "other.example.com").body == b"other"


def test_a_listen_setting_that_changed_is_followed(nginx: Nginx, backend: Backend, site: Site) -> None:
    publish(backend, site, "first")
    other = Nginx(nginx.folder.parent / "unused").port
    moved = Backend(replace(backend.settings, nginx_listen=f"{backend.settings.nginx_listen} 127.0.0.1:{other}"))
    publish(moved, site, "second")
    assert nginx.ask("/", ONE).body == b"second"
    nginx.address = ("127.0.0.1", other)
    assert nginx.ask("/", ONE).body == b"second"


def test_claims(nginx: Nginx, backend: Backend, site: Site) -> None:
    publish(backend, site, "first")
    assert backend.claims(ONE) is None
    nginx.site("shop", f"server {{ server_name {TWO}; }}\n")
    assert str(backend.claims(TWO)).endswith(f"sites-enabled/shop line 1 has the server_name {TWO} already.")


def test_a_probe_sees_who_else_answers(nginx: Nginx, backend: Backend, site: Site) -> None:
    release = make_release(backend.settings.data, {"index.html": "first"})
    backend.publish(site, release, print)
    nginx.site("a-thief", f"server {{ listen 127.0.0.1:{nginx.port}; server_name {ONE}; return 200 stolen; }}\n")
    nginx.reload()
    (probe,) = backend.probe(site, release)
    assert (probe.ok, probe.url) == (False, f"http://{ONE}:{nginx.port}/")


def test_a_probe_of_an_nginx_that_is_gone(nginx: Nginx, backend: Backend, site: Site) -> None:
    release = make_release(backend.settings.data, {"index.html": "first"})
    backend.publish(site, release, print)
    nginx.stop()
    (probe,) = backend.probe(site, release)
    assert not probe.ok
    assert "Nothing answered" in probe.detail


def _statuses(backend: Backend) -> dict[str, str]:
    return {check.name: check.status for check in backend.checks()}


def test_checks_say_what_is_wrong_and_its_mend(nginx: Nginx, backend: Backend, tmp_path: Path) -> None:
    assert set(_statuses(backend).values()) == {"ok"}
    nginx.site("broken", "server {\n nonsense;\n}\n")
    broken = {check.name: check for check in backend.checks()}["nginx.test"]
    assert broken.status == "failed"
    assert "broken, line 2" in broken.text
    assert broken.mend.startswith("Correct line 2 of")
    nginx.stop()
    assert _statuses(backend)["nginx.reload"] == "failed"
    nginx.conf.write_text(nginx.conf.read_text().replace(f"include {nginx.sites_enabled}/*;", ""))
    assert _statuses(backend)["nginx.include"] == "failed"
    elsewhere = Backend(replace(backend.settings, nginx_sites_available=tmp_path / "none"))
    assert _statuses(elsewhere)["nginx.folders"] == "failed"
    helped = Backend(replace(backend.settings, nginx_helper=tmp_path / "none.socket"))
    assert _statuses(helped)["nginx.reload"] == "failed"


def test_checks_where_workers_can_not_read(nginx: Nginx, backend: Backend) -> None:
    nginx.conf.write_text(nginx.conf.read_text().replace("user root;", "user nobody;"))
    backend.settings.data.chmod(0o700)
    closed = {check.name: check for check in backend.checks()}["nginx.reach"]
    assert closed.status == "failed"
    assert "nobody" in closed.text
    assert closed.mend.startswith("`chmod o+x ")


def test_checks_without_nginx(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = replace(backend.settings, nginx_test=("/nowhere/nginx", "-t"))
    assert [(check.name, check.status) for check in Backend(gone).checks()] == [("nginx.program", "failed")]
    unwanted = replace(gone, backend="builtin")
    assert [check.status for check in Backend(unwanted).checks()] == ["off"]


@pytest.mark.load
def test_swaps_under_load(nginx: Nginx, backend: Backend, site: Site) -> None:
    """Visitors get one release or the other, whole, and never an error."""
    releases = [make_release(backend.settings.data, {"index.html": letter * 65536}) for letter in "ab"]
    backend.publish(site, releases[0], print)
    reloads = nginx.reloads
    found: list[Ran] = []
    script = Path(__file__).with_name("swaps.lua")
    load = ("wrk", "-t1", "-c16", "-d4s", "-s", str(script), "-H", f"Host: {ONE}", f"http://127.0.0.1:{nginx.port}/")
    wrk = threading.Thread(target=lambda: found.append(run(load)))
    wrk.start()
    swaps = 0
    while wrk.is_alive():
        backend.publish(site, releases[swaps % 2], lambda _: None)
        swaps += 1
        wrk.join(0.02)
    answers, torn, errors = map(int, re.findall(r"(?:answers|torn|errors)=(\d+)", found[0].output))
    assert (torn, errors) == (0, 0), found[0].output
    assert answers > 100
    assert swaps >= 20
    assert nginx.reloads == reloads


# Rules


def by(value: str) -> Rules:
    return Rules(headers=(HeaderRule("/*", (("X-Version", value),)),))


def publish_by(backend: Backend, site: Site, value: str) -> Release:
    """A release and rules that belong together."""
    release = make_release(backend.settings.data, {"index.html": value}, by(value))
    backend.publish(site, release, print)
    return release


def test_rules_and_files_never_mix(nginx: Nginx, backend: Backend, site: Site) -> None:
    """Whatever NGINX is at, an answer has the file and the header of one deployment."""
    publish_by(backend, site, "0")
    seen, done = set[tuple[bytes, str | None]](), threading.Event()

    def look() -> None:
        while not done.is_set():
            found = nginx.ask("/", ONE)
            seen.add((found.body, found.headers.get("x-version")))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for number in range(1, 5):
            publish_by(backend, site, str(number))
    finally:
        done.set()
        looking.join()
    assert seen >= {(b"0", "0"), (b"3", "3")}
    assert {body.decode() for body, _ in seen} == {value for _, value in seen}
    assert all(body.decode() == value for body, value in seen)


def test_other_rules_take_one_reload_and_the_same_none(nginx: Nginx, backend: Backend, site: Site) -> None:
    publish_by(backend, site, "1")
    reloads = nginx.reloads
    publish_by(backend, site, "2")
    assert nginx.reloads == reloads + 1
    backend.publish(site, make_release(backend.settings.data, {"index.html": "more"}, by("2")), print)
    assert (nginx.ask("/", ONE).body, nginx.reloads) == (b"more", reloads + 1)


def test_rules_that_nginx_refuses_change_nothing(nginx: Nginx, backend: Backend, site: Site) -> None:
    first = publish_by(backend, site, "1")
    odd = nginx.site("legacy.conf", "nonsense on;\n")
    with pytest.raises(HostFailed):
        publish_by(backend, site, "2")
    odd.unlink()
    backend.unpublish(site, first, print)
    found = nginx.ask("/", ONE)
    assert (found.body, found.headers["x-version"]) == (b"1", "1")
    assert site.pointer.resolve() == first.path.resolve()


def test_taking_back_brings_back_rules_and_files(nginx: Nginx, backend: Backend, site: Site) -> None:
    first = publish_by(backend, site, "1")
    publish_by(backend, site, "2")
    backend.unpublish(site, first, print)
    found = nginx.ask("/", ONE)
    assert (found.body, found.headers["x-version"]) == (b"1", "1")
    backend.unpublish(site, None, print)
    assert force.in_place(backend.settings) == {}


def test_who_may_come_in_stands_beside_the_file_while_there_is_a_password(backend: Backend, site: Site) -> None:
    listed = backend.settings.data / "nginx" / f"{ONE}.users"
    publish_by(backend, replace(site, guard=Guard("me", passwords.hashed("word", 5))), "1")
    assert listed.read_text().startswith("me:$2b$05$")
    publish_by(backend, site, "1")
    assert not listed.exists()
