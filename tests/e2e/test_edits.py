"""Edits by hand: noticed, shown, never written over by themselves; restored or kept as someone says."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.machine.served import until
from tests.appliance import zipped
from tests.e2e.host import PATIENCE, Host

BLOG, DOCS = "blog.example.com", "docs.example.com"
pytestmark = pytest.mark.nginx


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp("host")) as running:
        running.live("blog")
        for name in (BLOG, DOCS):
            assert running.add("blog", name)["status"] == "active"
        yield running


@pytest.fixture
def host(whole: Host) -> Iterator[Host]:
    yield whole
    for edit in look(whole)["edits"]:
        restore(whole, edit["host"])
    assert look(whole)["edits"] == []


def look(host: Host) -> Any:
    answer = host.server.ask("POST", "/nginx/check")
    assert answer.status_code == 200, answer.text
    return answer.json()


def restore(host: Host, name: str) -> Any:
    answer = host.server.ask("POST", f"/nginx/{name}/restore?wait=20")
    assert answer.status_code == 202, answer.text
    return answer.json()


def adopt(host: Host, name: str) -> Any:
    return host.server.ask("POST", f"/nginx/{name}/adopt")


def edit(host: Host, name: str = BLOG, line: str = "    add_header X-Mine yes always;") -> str:
    """A line more; gives the text as it was."""
    file = host.files(name)[0]
    before = file.read_text()
    file.write_text(before.replace("    server_tokens off;", f"    server_tokens off;\n{line}"))
    assert file.read_text() != before
    return before


def eventually(done: Callable[[], object]) -> None:
    assert until(lambda: bool(done()), PATIENCE), "It did not come about in time."


def test_an_edit_is_shown_and_restored(host: Host) -> None:
    assert look(host)["edits"] == []
    before = edit(host)
    (found,) = look(host)["edits"]
    assert (found["host"], found["what"], found["kept_at"]) == (BLOG, "changed", None)
    assert "+    add_header X-Mine yes always;" in found["diff"].splitlines()
    assert not [line for line in found["diff"].splitlines()[2:] if line.startswith("-")]
    assert host.server.get("/nginx")["edits"] == [found]
    assert [one["subject"] for one in host.activity("url.edited")][:1] == [BLOG]
    host.nginx.reload()
    assert host.ask(BLOG).headers["x-mine"] == "yes"
    assert restore(host, BLOG)["status"] == "active"
    assert host.files(BLOG)[0].read_text() == before
    assert "x-mine" not in host.ask(BLOG).headers
    assert host.server.get("/nginx")["edits"] == []


def test_nothing_writes_over_an_edit_by_itself(host: Host) -> None:
    edit(host)
    after = host.files(BLOG)[0].read_text()
    assert host.server.deploy("blog", {"index.html": "two"})["status"] == "succeeded"
    assert host.check(BLOG)["status"] == "active"
    assert host.add("blog", "new.example.com")["status"] == "active"
    host.remove("blog", "new.example.com")
    host.server.stop()
    host.server.start()
    assert host.check(DOCS)["status"] == "active", "what a start has to do is done before that"
    assert host.files(BLOG)[0].read_text() == after
    assert host.body(BLOG) == host.body(DOCS) == "two"
    assert [one["host"] for one in look(host)["edits"]] == [BLOG]


def test_an_edit_is_kept(host: Host) -> None:
    edit(host)
    assert adopt(host, BLOG).status_code == 404, "nobody has looked yet"
    look(host)
    kept = adopt(host, BLOG).json()
    assert kept["kept_at"] and kept["kept_by"]
    assert look(host)["edits"] == [kept]
    host.nginx.reload()
    host.server.deploy("blog", {"index.html": "three"})
    assert host.body(BLOG) == "three" and host.ask(BLOG).headers["x-mine"] == "yes"
    edit(host, line="    add_header X-More yes always;")
    (again,) = look(host)["edits"]
    assert again["kept_at"] is None, "it is another edit"


def test_what_nginx_refuses_is_not_kept_and_is_known_before_a_restart(host: Host) -> None:
    assert look(host)["tested"]["ok"]
    edit(host, line="    nonsense on;")
    found = look(host)
    assert not found["tested"]["ok"]
    assert 'unknown directive "nonsense"' in found["tested"]["said"]
    refused = adopt(host, BLOG)
    assert refused.status_code == 500 and "nonsense" in refused.text
    assert restore(host, BLOG)["status"] == "active"
    assert look(host)["tested"]["ok"]


def test_a_break_of_someone_elses_is_said_and_nothing_is_touched(host: Host) -> None:
    reloads = host.nginx.reloads
    with host.broken_site() as link:
        found = look(host)
        assert found["edits"] == [] and not found["tested"]["ok"]
        assert f"{link}, line 3" in found["tested"]["detail"]
    assert look(host)["tested"]["ok"]
    assert host.nginx.reloads == reloads


@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_is_gone_counts_too(host: Host, which: int) -> None:
    path: Path = host.files(BLOG)[which]
    path.unlink()
    (found,) = look(host)["edits"]
    assert found["what"] == "missing" and str(path) in found["detail"]
    assert adopt(host, BLOG).status_code == 409
    assert restore(host, BLOG)["status"] == "active"
    assert os.path.lexists(path) and host.in_force(BLOG, host.body(DOCS))


def test_something_else_where_a_link_was_is_left_alone(host: Host) -> None:
    link = host.files(BLOG)[1]
    link.unlink()
    link.write_text("# mine\n")
    (found,) = look(host)["edits"]
    assert found["what"] == "taken" and str(link) in found["detail"]
    assert str(link) in restore(host, BLOG)["error"]
    assert link.read_text() == "# mine\n"
    link.unlink()


def test_a_rename_would_have_to_write_over_it(host: Host) -> None:
    edit(host)
    refused = host.server.ask("PATCH", "/projects/blog", json={"name": "journal"})
    assert refused.status_code == 409 and BLOG in refused.json()["detail"]


def test_a_password_that_does_not_stand_before_an_edited_file_is_said(host: Host) -> None:
    guard = "/projects/blog/environments/production/guard"
    edit(host)
    look(host)
    assert adopt(host, BLOG).status_code == 200
    assert host.server.ask("PATCH", guard, json={"user": "me", "password": "correct horse"}).status_code == 200
    eventually(lambda: host.ask(DOCS).status == 401)
    (found,) = look(host)["edits"]
    assert "password of its environment does not stand before it" in found["detail"]
    assert found["kept_at"] is None, "it was decided without knowing that"
    restore(host, BLOG)
    assert host.ask(BLOG).status == 401
    assert host.server.ask("PATCH", guard, json={"password": ""}).status_code == 200
    eventually(lambda: host.ask(BLOG).status == host.ask(DOCS).status == 200)


def test_a_deployment_by_other_rules_waits_for_a_word(host: Host) -> None:
    edit(host)
    path = "/projects/blog/environments/production/deployments?wait=20"
    body = zipped({"index.html": "other", "_redirects": "/old /new 301\n"})
    refused = host.server.ask("POST", path, content=body, headers={"Content-Type": "application/zip"})
    assert refused.status_code == 422 and f"{BLOG} was edited by hand" in refused.text
    before = host.body(BLOG)
    assert before == host.body(DOCS) != "other"
    look(host)
    restore(host, BLOG)
    host.server.deploy("blog", {"index.html": "other", "_redirects": "/old /new 301\n"})
    assert host.body(BLOG) == host.body(DOCS) == "other" and host.ask(BLOG, "/old").status == 301


def test_killed_while_restoring(host: Host) -> None:
    for fault in ("nginx restore", "nginx reload", "after nginx restore"):
        edit(host)
        look(host)
        host.start_again(fault)
        with host.dying():
            host.server.ask("POST", f"/nginx/{BLOG}/restore")
        host.start_again()
        host.becomes(BLOG, "active")
        eventually(lambda: "X-Mine" not in host.files(BLOG)[0].read_text())
        assert look(host)["edits"] == []
