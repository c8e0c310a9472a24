"""Deployments at addresses of their own by the NGINX of a host: one server for all of them, as the setting says."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from appliance.machine.served import until
from appliance.nginx.wildcard import KEY
from tests.appliance import ROOT
from tests.e2e.host import HERE, PATIENCE, Host
from tests.servers import Answer

DOMAIN, SETTING = "deploys.example.com", "HOMEPORT_NGINX_DEPLOYMENTS"
URL = "blog.example.com"
pytestmark = pytest.mark.nginx


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("host")) as running:
        running.live("blog")
        assert running.add("blog", URL)["status"] == "active"
        yield running


@pytest.fixture
def host(whole: Host) -> Host:
    """With the domain in force."""
    start(whole, DOMAIN)
    becomes(whole, "active")
    eventually(lambda: whole.jobs == 0)
    return whole


def start(host: Host, domain: str) -> None:
    """Again, with this domain; it keeps its port, so that nothing else changes."""
    host.server.environ[SETTING] = domain
    host.start_again()


def dies(host: Host, domain: str, fault: str) -> None:
    """Started with this domain, it kills itself there."""
    host.server.stop()
    host.server.environ[SETTING] = domain
    words = [sys.executable, "-m", "appliance", "serve", "--data", str(host.data), "--port", str(host.server.port)]
    environ = {**os.environ, **host.server.environ, "HOMEPORT_FAULT": f"kill:{fault}"}
    ran = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, timeout=PATIENCE, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr


def state(host: Host) -> Any:
    return host.server.get("/nginx")["deployments"]


def becomes(host: Host, status: str) -> Any:
    assert until(lambda: (state(host) or {}).get("status") == status, PATIENCE), state(host)
    return state(host)


def eventually(done: Callable[[], object]) -> None:
    assert until(lambda: bool(done()), PATIENCE), "It did not come about in time."


def visit(host: Host, deployment: Any, path: str = "/") -> Answer:
    """Through NGINX, by the address that it says it has."""
    now = host.server.get(f"/deployments/{deployment['id']}")["permanent"]
    assert now == f"http://{deployment['id']}.{DOMAIN}:{host.nginx.port}/"
    return host.ask(str(urlsplit(now).hostname), path)


def gone(host: Host) -> bool:
    return state(host) is None and not any(path.is_symlink() or path.exists() for path in host.files(KEY))


def check(host: Host) -> Any:
    (found,) = [one for one in host.server.get("/checks")["items"] if one["name"] == "nginx.deployments"]
    return found


def test_each_deployment_answers_at_its_own_address_until_the_setting_is_cleared(host: Host) -> None:
    others = {name: tree for name, tree in host.others().items() if name == "main"}
    one, two = (host.server.deploy("blog", {"index.html": word, "a b.txt": f"{word}!"}) for word in ("one", "two"))
    assert (visit(host, one).body, visit(host, two).body) == (b"one", b"two")
    assert visit(host, one, "/a%20b.txt").body == b"one!"
    assert visit(host, one).headers["x-robots-tag"] == "noindex"
    assert visit(host, one).headers["content-type"] == "text/html; charset=utf-8", "NGINX adds none of its own"
    assert host.ask(f"www.{DOMAIN}").status == 404 and host.ask(DOMAIN).body == b"the default site\n"
    assert host.body(URL) == "two"
    assert check(host)["status"] == "ok"
    assert host.records(f"*.{DOMAIN}") == [("A", HERE, False)]
    assert host.files(KEY)[0].read_text().startswith("# Made by Homeport.")
    before = host.nginx.reloads
    start(host, DOMAIN)
    becomes(host, "active")
    eventually(lambda: host.jobs == 0)
    assert host.nginx.reloads == before, "it stands as it is"
    start(host, "")
    eventually(lambda: gone(host))
    eventually(lambda: host.ask(f"{one['id']}.{DOMAIN}").body == b"the default site\n")
    assert host.records(f"*.{DOMAIN}") == [] and host.body(URL) == "two"
    assert host.server.get(f"/deployments/{one['id']}")["permanent"].endswith(f".blog.localhost:{host.server.port}/")
    assert {"main": host.others()["main"]} == others
    assert [one["subject"] for one in host.activity("domain.gone")] == [DOMAIN]


def test_a_large_file_streams_through(host: Host) -> None:
    content = Random(1).randbytes(10 << 20)
    made = host.server.deploy("blog", {"index.html": "large", "large.bin": content})
    assert visit(host, made, "/large.bin").body == content


def test_another_domain_takes_its_place(host: Host) -> None:
    made = host.server.deploy("blog", {"index.html": "moved"})
    start(host, "other.example.com")
    eventually(lambda: state(host)["name"] == "other.example.com" and state(host)["status"] == "active")
    assert host.body(f"{made['id']}.other.example.com") == "moved"
    assert host.ask(f"{made['id']}.{DOMAIN}").body == b"the default site\n"
    assert host.records(f"*.{DOMAIN}") == [] and host.records("*.other.example.com")


@pytest.mark.parametrize("name", [f"*.{DOMAIN}", f".{DOMAIN}"])
def test_one_that_another_site_has_is_refused_and_no_link_leads_nowhere(host: Host, name: str) -> None:
    start(host, "")
    eventually(lambda: gone(host))
    theirs = f"server {{ listen 127.0.0.1:{host.nginx.port}; server_name {name}; return 200 theirs; }}\n"
    host.nginx.site("theirs", theirs)
    try:
        host.nginx.reload()
        start(host, DOMAIN)
        assert "has the server_name" in becomes(host, "failed")["error"]
        assert check(host)["status"] == "failed" and "theirs" in check(host)["mend"]
        made = host.server.deploy("blog", {"index.html": "x"})
        assert made["permanent"] == f"http://{made['id']}.blog.localhost:{host.server.port}/"
        assert host.ask(f"{made['id']}.{DOMAIN}").body == b"theirs"
        assert not host.files(KEY)[0].exists() and host.body(URL) == "x"
    finally:
        (host.nginx.sites_enabled / "theirs").unlink()
        host.nginx.reload()


def test_a_reload_that_fails_takes_it_back(host: Host) -> None:
    start(host, "")
    eventually(lambda: gone(host))
    host.reload_does("exit 1")
    try:
        start(host, DOMAIN)
        becomes(host, "failed")
        assert not host.files(KEY)[0].exists()
    finally:
        host.reload_does("exec {reload}")


def test_urls_come_and_go_beside_it(host: Host) -> None:
    host.add("blog", "beside.example.com")
    host.remove("blog", "beside.example.com")
    eventually(lambda: host.is_gone("beside.example.com"))
    assert host.files(KEY)[0].exists() and host.ask(f"www.{DOMAIN}").headers["x-robots-tag"] == "noindex"


def test_no_url_can_be_called_like_a_deployment_but_others_may_be_under_the_domain(host: Host) -> None:
    path = "/projects/blog/environments/production/urls"
    refused = host.server.ask("POST", path, json={"host": f"cr5r9bykanv12wjmybcx.{DOMAIN}"})
    assert refused.status_code == 409 and "address of a deployment" in refused.text
    assert host.server.ask("POST", path, json={"host": KEY}).status_code == 422
    assert host.add("blog", f"www.{DOMAIN}")["status"] == "active"
    assert "x-robots-tag" not in host.ask(f"www.{DOMAIN}").headers
    host.remove("blog", f"www.{DOMAIN}")
    eventually(lambda: host.is_gone(f"www.{DOMAIN}") or host.ask(f"www.{DOMAIN}").status == 404)


def test_an_edit_by_hand_is_shown_kept_and_restored(host: Host) -> None:
    file: Path = host.files(KEY)[0]
    before = file.read_text()
    file.write_text(before.replace("    gzip off;", "    gzip off;\n    add_header X-Mine yes;"))
    (found,) = host.server.ask("POST", "/nginx/check").json()["edits"]
    assert found["host"] == KEY and "+    add_header X-Mine yes;" in found["diff"]
    assert host.server.ask("POST", f"/nginx/{KEY}/adopt").json()["kept_at"]
    start(host, DOMAIN)
    becomes(host, "active")
    eventually(lambda: host.jobs == 0)
    assert "X-Mine" in file.read_text()
    restored = host.server.ask("POST", f"/nginx/{KEY}/restore?wait=20")
    assert restored.status_code == 202 and restored.json()["status"] == "active", restored.text
    assert file.read_text() == before and host.server.get("/nginx")["edits"] == []
    file.unlink()
    (found,) = host.server.ask("POST", "/nginx/check").json()["edits"]
    assert found["what"] == "missing"
    assert host.server.ask("POST", f"/nginx/{KEY}/restore?wait=20").json()["status"] == "active"
    assert file.read_text() == before


@pytest.mark.parametrize(
    "fault", ["domain put", "nginx reload", "after domain put", "domain point", "after domain point"]
)
def test_killed_in_between(host: Host, fault: str) -> None:
    start(host, "")
    eventually(lambda: gone(host))
    dies(host, DOMAIN, fault)
    start(host, DOMAIN)
    becomes(host, "active")
    assert host.ask(f"www.{DOMAIN}").headers["x-robots-tag"] == "noindex"
    assert host.records(f"*.{DOMAIN}") == [("A", HERE, False)]
