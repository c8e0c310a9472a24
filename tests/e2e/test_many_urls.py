"""Many URLs at once: a handful of reloads, whatever happens in the middle."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.machine.served import until
from tests.e2e.host import PATIENCE, Host

HOSTS = [f"many{number}.example.com" for number in range(40)]
pytestmark = pytest.mark.nginx


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host(tmp_path) as running:
        running.live("blog")
        yield running


def eventually(done: Callable[[], object]) -> None:
    assert until(lambda: bool(done()), PATIENCE), "It did not come about in time."


def add_all(host: Host, wait: int) -> list[str]:
    """At the same time; says how each was."""
    with ThreadPoolExecutor(20) as pool:
        return [url["status"] for url in pool.map(lambda name: host.add("blog", name, wait=wait), HOSTS)]


def served(host: Host) -> bool:
    return all(host.in_force(name, "I am blog") for name in HOSTS)


def test_a_burst_comes_and_goes_in_a_few_reloads(host: Host) -> None:
    before = host.nginx.reloads
    assert set(add_all(host, 60)) == {"active"}
    assert served(host)
    assert host.nginx.reloads - before <= 8
    before = host.nginx.reloads
    assert host.server.ask("DELETE", "/projects/blog").status_code == 204
    eventually(lambda: all(host.is_gone(name) for name in HOSTS))
    assert host.nginx.reloads - before <= 2


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["nginx put", "nginx reload", "after nginx put", "dns point", "url active"])
def test_killed_in_a_burst(host: Host, fault: str) -> None:
    host.start_again(fault)
    with host.dying(), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: host.add("blog", name, wait=0), HOSTS))
    host.start_again()
    known = [url["host"] for url in host.urls]
    assert known
    eventually(lambda: all(host.url(name)["status"] == "active" for name in known))
    assert all(host.in_force(name, "I am blog") for name in known)
    host.start_again("nginx reload")
    with host.dying():
        host.server.ask("DELETE", "/projects/blog")
    host.start_again()
    eventually(lambda: all(host.is_gone(name) for name in known))
