"""What URLs are set to, with a real NGINX: files written, tested, seen to answer, and taken back."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.host import Host

BLOG, OLD, WILD = "blog.example.com", "old.example.com", "*.preview.example.com"
pytestmark = pytest.mark.nginx


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("host")) as running:
        running.live("blog")
        assert running.add("blog", BLOG)["status"] == "active"
        yield running


def change(host: Host, name: str, **settings: Any) -> Any:
    answer = host.server.ask("PATCH", f"/urls/{name}?wait=20", json=settings)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_settings_count_at_once_and_leave_no_trace_when_they_are_gone(host: Host) -> None:
    file = host.files(BLOG)[0]
    before = file.read_bytes()
    assert change(host, BLOG, allow=["192.0.2.0/24"])["status"] == "active"
    assert host.ask(BLOG).status == 403
    assert change(host, BLOG, allow=["127.0.0.0/8"], password="a word of its own")["status"] == "active"
    assert host.ask(BLOG).status == 401
    assert change(host, BLOG, allow=[], password=None)["status"] == "active"
    assert host.body(BLOG) == "I am blog"
    assert file.read_bytes() == before, "byte for byte"
    host.server.deploy("blog", {"index.html": "I am new"})
    assert host.body(BLOG) == "I am new"
    host.server.deploy("blog", {"index.html": "I am blog"})


def test_one_that_leads_to_the_primary(host: Host) -> None:
    made = host.add("blog", OLD, redirect_to="primary", redirect_status=308)
    assert made["status"] == "active", made
    found = host.ask(OLD, "/a?b=1")
    assert (found.status, found.headers["location"]) == (308, f"http://{BLOG}/a?b=1")
    host.server.deploy("blog", {"index.html": "again", "_redirects": "/x /y"})
    assert host.ask(OLD).status == 308, "a deployment by other rules leaves it"
    assert host.ask(BLOG, "/x").headers["location"] == "/y"
    host.remove("blog", OLD)
    assert change(host, BLOG, primary=True)["primary"] is True


def test_a_wildcard_with_its_record(host: Host) -> None:
    made = host.add("blog", WILD)
    assert made["status"] == "active", made
    file, *links = host.files("+.preview.example.com")
    assert file.is_file() and all(link.is_symlink() for link in links)
    assert host.records(WILD)
    assert host.ask("pr-1.preview.example.com").status == 200
    assert host.ask("a.b.preview.example.com").status == 404
    host.remove("blog", WILD)


def test_a_change_that_an_edit_stands_against_is_refused_and_leaves_it(host: Host) -> None:
    file = host.files(BLOG)[0]
    edited = file.read_text("utf-8") + "# mine\n"
    file.write_text(edited, "utf-8")
    found = change(host, BLOG, allow=["192.0.2.0/24"])
    assert found["status"] == "failed" and "edited by hand" in found["error"]
    assert file.read_text("utf-8") == edited and host.ask(BLOG).status == 200
